//! A database of its own for every test, and a way to cut the line to it.

use std::net::SocketAddr;
use std::sync::Arc;

use common::api::{Body, Dialect, NewAccount, Origin};
use common::id::{ClientId, ConvId, DeviceId, Millis, UserId};
use common::store::mysql::MySqlStore;
use common::store::{Append, Change, Guard, OpenOptions, Outcome, Store};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder};
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A database that is dropped at the end of its test.
pub(crate) struct Database {
    server: String,
    pub(crate) name: String,
}

impl Database {
    pub(crate) fn new() -> Self {
        let Ok(server) = std::env::var("MYIM_TEST_MYSQL") else {
            panic!(
                "this test needs a MySQL or MariaDB server: run scripts/test, or set \
                 MYIM_TEST_MYSQL to a URL without a database, like mysql://root@127.0.0.1:3307"
            );
        };
        Self {
            server: server.trim_end_matches('/').to_owned(),
            name: format!("myim_test_{}", uuid::Uuid::now_v7().simple()),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("{}/{}", self.server, self.name)
    }

    pub(crate) async fn store(&self) -> MySqlStore {
        MySqlStore::open(&self.url(), &OpenOptions::default())
            .await
            .unwrap()
    }

    /// A connection that knows nothing of the store, with the database made.
    pub(crate) async fn conn(&self) -> Conn {
        let mut conn = Conn::new(Opts::from_url(&self.server).unwrap())
            .await
            .unwrap();
        let create = format!("CREATE DATABASE IF NOT EXISTS {}", self.name);
        conn.query_drop(create).await.unwrap();
        conn.query_drop(format!("USE {}", self.name)).await.unwrap();
        conn
    }

    fn address(&self) -> (String, u16) {
        let opts = Opts::from_url(&self.server).unwrap();
        (opts.ip_or_hostname().to_owned(), opts.tcp_port())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let opts = OptsBuilder::from_opts(Opts::from_url(&server).unwrap());
                let mut conn = Conn::new(opts).await.unwrap();
                let drop = format!("DROP DATABASE IF EXISTS {name}");
                conn.query_drop(drop).await.unwrap();
                conn.disconnect().await.unwrap();
            });
        });
        // A database that stays behind is no reason to fail twice.
        let _ = dropping.join();
    }
}

/// What the line does with bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Open,
    /// Takes connections and bytes and passes nothing on, like a server that was stopped.
    Hung,
    /// Like [`Line::Open`] until a COMMIT has passed; then the answer does not come back.
    HungAfterCommit,
    /// Closes every connection, like a server that was killed.
    Cut,
}

/// A line to the database that a test can cut.
pub(crate) struct Proxy {
    address: SocketAddr,
    state: Arc<watch::Sender<Line>>,
}

impl Proxy {
    pub(crate) async fn to(database: &Database) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (state, watched) = watch::channel(Line::Open);
        let state = Arc::new(state);
        let line = Arc::clone(&state);
        let target = database.address();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(pass(
                    near,
                    target.clone(),
                    Arc::clone(&line),
                    watched.clone(),
                ));
            }
        });
        Self { address, state }
    }

    pub(crate) fn set(&self, line: Line) {
        self.state.send_replace(line);
    }

    pub(crate) async fn store(&self, database: &Database) -> MySqlStore {
        let opts = Opts::from_url(&database.url()).unwrap();
        let user = opts.user().unwrap_or("root").to_owned();
        let pass = opts
            .pass()
            .map(|pass| format!(":{pass}"))
            .unwrap_or_default();
        let url = format!("mysql://{user}{pass}@{}/{}", self.address, database.name);
        MySqlStore::open(&url, &OpenOptions::default())
            .await
            .unwrap()
    }
}

/// Both directions of one connection.
async fn pass(
    near: TcpStream,
    target: (String, u16),
    state: Arc<watch::Sender<Line>>,
    mut line: watch::Receiver<Line>,
) {
    if *line.borrow() == Line::Cut {
        return;
    }
    let Ok(far) = TcpStream::connect((target.0.as_str(), target.1)).await else {
        return;
    };
    let (near_in, near_out) = near.into_split();
    let (far_in, far_out) = far.into_split();
    let up = one_way(near_in, far_out, line.clone(), |bytes: &[u8]| {
        let commits = bytes.windows(6).any(|word| word == b"COMMIT");
        if commits && *state.borrow() == Line::HungAfterCommit {
            state.send_replace(Line::Hung);
        }
    });
    let down = one_way(far_in, near_out, line.clone(), |_bytes: &[u8]| ());
    tokio::select! {
        () = up => (),
        () = down => (),
        _cut = line.wait_for(|line| *line == Line::Cut) => (),
    }
}

/// Copies from one side to the other while the line is open; `seen` is told before the bytes go.
async fn one_way(
    from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut line: watch::Receiver<Line>,
    seen: impl Fn(&[u8]),
) {
    let mut buffer = vec![0; 64 << 10];
    loop {
        if from.readable().await.is_err() {
            return;
        }
        let passes = |line: &Line| matches!(line, Line::Open | Line::HungAfterCommit);
        if line.wait_for(passes).await.is_err() {
            return;
        }
        let count = match from.try_read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
            Err(_) => return,
        };
        seen(&buffer[..count]);
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}

pub(crate) fn origin(user: UserId, client_id: impl Into<String>) -> Origin {
    Origin {
        user,
        device: DeviceId(1),
        client_id: ClientId::new(client_id).unwrap(),
        tag: 7,
        at: Millis(1_700_000_000_000),
    }
}

pub(crate) fn message(from: UserId, to: UserId, client_id: impl Into<String>) -> Change {
    Change::Append(Append {
        conv: ConvId::direct(from, to),
        origin: origin(from, client_id),
        body: text("hello"),
        guard: Guard::Exists,
        files: Vec::new(),
    })
}

pub(crate) fn text(text: &str) -> Body {
    Body::Message {
        dialect: Dialect::Flamingo,
        content: text.to_owned().into_bytes().into(),
    }
}

/// Registers a user and answers with his number.
pub(crate) async fn register(store: &dyn Store, name: &str) -> UserId {
    let account = NewAccount {
        username: name.to_owned(),
        nickname: name.to_owned(),
        password_hash: "hash".to_owned(),
    };
    let at = Millis(1_700_000_000_000);
    match one(store, Change::CreateAccount { account, at }).await {
        Outcome::Done { id: Some(id), .. } => UserId(id),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn one(store: &dyn Store, change: Change) -> Outcome {
    store.commit(&[change]).await.unwrap().remove(0)
}
