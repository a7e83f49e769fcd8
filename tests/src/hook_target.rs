//! What webhooks post to: takes requests on loopback, notes them, and answers as the test says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

use crate::peer::PATIENCE;

/// Something that was posted.
#[derive(Clone, Debug)]
pub struct Posted {
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub raw: Vec<u8>,
    pub at: Instant,
}

impl Posted {
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(one, _)| one == name);
        found.map_or("", |(_, value)| value)
    }

    /// The name by which a receiver recognizes it.
    pub fn id(&self) -> &str {
        self.header("webhook-id")
    }

    pub fn body(&self) -> Value {
        serde_json::from_slice(&self.raw).expect("the body is JSON")
    }

    /// The text of a message; nothing for other events.
    pub fn said(&self) -> String {
        let body = self.body();
        let text = body["message"]["segments"][0]["text"].as_str();
        text.unwrap_or_default().to_owned()
    }

    /// The place of the event.
    pub fn seq(&self) -> u64 {
        self.body()["seq"].as_u64().expect("a place")
    }

    /// Whether it is signed with this secret, as the Standard Webhooks specification says.
    pub fn is_signed(&self, secret: &str) -> bool {
        let key = secret.strip_prefix("whsec_").expect("a secret");
        let key = STANDARD.decode(key).expect("a secret in base64");
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key");
        mac.update(self.id().as_bytes());
        mac.update(b".");
        mac.update(self.header("webhook-timestamp").as_bytes());
        mac.update(b".");
        mac.update(&self.raw);
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        self.header("webhook-signature") == format!("v1,{signature}")
    }
}

/// How to answer.
#[derive(Clone, Debug)]
pub enum Reply {
    Status(u16),
    /// With these lines of headers, each with its end, and so many bytes of body.
    With(u16, &'static str, usize),
    /// Not at all, as long as the server waits.
    Silence,
}

type Script = Box<dyn FnMut(&Posted) -> Reply + Send>;

/// See the module's description.
pub struct HookTarget {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    posted: Mutex<Vec<Posted>>,
    came: Condvar,
    script: Mutex<Script>,
}

impl std::fmt::Debug for HookTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HookTarget")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl HookTarget {
    /// One that takes everything.
    pub fn new() -> Self {
        Self::answering(|_| Reply::Status(204))
    }

    pub fn answering(script: impl FnMut(&Posted) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            posted: Mutex::default(),
            came: Condvar::new(),
            script: Mutex::new(Box::new(script)),
        });
        let of_thread = Arc::clone(&shared);
        // Ends with the test's process.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = Arc::clone(&of_thread);
                thread::spawn(move || stream.map(|stream| shared.serve(stream)));
            }
        });
        Self { address, shared }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Answers differently from now on.
    pub fn answer(&self, script: impl FnMut(&Posted) -> Reply + Send + 'static) {
        *self.shared.script.lock().expect("nobody panicked") = Box::new(script);
    }

    pub fn take_everything(&self) {
        self.answer(|_| Reply::Status(204));
    }

    /// What was posted so far.
    pub fn posted(&self) -> Vec<Posted> {
        let posted = self.shared.posted.lock();
        posted.expect("nobody panicked").clone()
    }

    /// Waits until what was posted is enough; all of it.
    pub fn until(&self, what: &str, enough: impl Fn(&[Posted]) -> bool) -> Vec<Posted> {
        let posted = self.shared.posted.lock().expect("nobody panicked");
        let waiting = self
            .shared
            .came
            .wait_timeout_while(posted, PATIENCE, |posted| !enough(posted));
        let (posted, waited) = waiting.expect("nobody panicked");
        let texts: Vec<_> = posted.iter().map(Posted::said).collect();
        assert!(!waited.timed_out(), "{what} was not posted, only {texts:?}");
        posted.clone()
    }

    /// Waits until so much was posted.
    pub fn until_count(&self, count: usize) -> Vec<Posted> {
        self.until(&format!("{count} times"), |posted| posted.len() >= count)
    }

    /// Waits until a message of this text was posted; all that was posted.
    pub fn until_said(&self, text: &str) -> Vec<Posted> {
        let is_it = |posted: &[Posted]| posted.iter().any(|one| one.said() == text);
        self.until(text, is_it)
    }
}

impl Default for HookTarget {
    fn default() -> Self {
        Self::new()
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let posted = read(&stream)?;
        // What is noted was answered as the script said at that time.
        let reply = {
            let mut script = self.script.lock().expect("nobody panicked");
            let reply = script(&posted);
            self.posted.lock().expect("nobody panicked").push(posted);
            reply
        };
        self.came.notify_all();
        let (status, headers, length) = match reply {
            Reply::Status(status) => (status, "", 0),
            Reply::With(status, headers, length) => (status, headers, length),
            Reply::Silence => {
                // Until the server gives up.
                let _ = stream.read(&mut [0]);
                return Ok(());
            }
        };
        let body = "x".repeat(length);
        let length = match status {
            204 => String::new(),
            _ => format!("content-length: {length}\r\n"),
        };
        write!(
            stream,
            "HTTP/1.1 {status} Said\r\n{headers}{length}\r\n{body}"
        )
    }
}

fn read(stream: &TcpStream) -> std::io::Result<Posted> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = Vec::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        if name == "content-length" {
            length = value.parse().unwrap_or(0);
        }
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let mut raw = vec![0; length];
    reader.read_exact(&mut raw)?;
    Ok(Posted {
        path,
        headers,
        raw,
        at: Instant::now(),
    })
}
