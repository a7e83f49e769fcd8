//! The proxy that breaks connections does what its plan says: otherwise it would prove nothing.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use myim_tests::fault_proxy::{Fate, Fault, FaultProxy, Moment, Way};
use myim_tests::peer::PATIENCE;
use myim_tests::server::{Db, Kind, Setup};
use myim_tests::tls::Tunnel;

/// What the server of a connection saw.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Bytes(Vec<u8>),
    End,
    Reset,
}

/// A server that answers every piece with "answer", and tells what it heard.
fn server() -> (SocketAddr, Receiver<Heard>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, heard) = sync_channel(1024);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let tell = tell.clone();
            thread::spawn(move || {
                let mut stream = stream.unwrap();
                let mut piece = [0; 4096];
                loop {
                    let said = match stream.read(&mut piece) {
                        Ok(0) => Heard::End,
                        Ok(count) => Heard::Bytes(piece[..count].to_vec()),
                        Err(_) => Heard::Reset,
                    };
                    let is_over = !matches!(said, Heard::Bytes(_));
                    if tell.send(said).is_err() || is_over {
                        return;
                    }
                    // The client may be gone.
                    let _ = stream.write_all(b"answer");
                }
            });
        }
    });
    (address, heard)
}

fn connect(proxy: &FaultProxy) -> TcpStream {
    let stream = TcpStream::connect(proxy.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// The next bytes, as far as they come at once.
fn read(stream: &mut TcpStream) -> Result<Vec<u8>, ErrorKind> {
    let mut piece = [0; 4096];
    let count = stream.read(&mut piece).map_err(|error| error.kind())?;
    Ok(piece[..count].to_vec())
}

/// Nothing comes for a moment. There is no event for "nothing".
fn is_silent(stream: &mut TcpStream) -> bool {
    stream
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    let silent = matches!(
        read(stream),
        Err(ErrorKind::WouldBlock | ErrorKind::TimedOut)
    );
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    silent
}

fn at(moment: Moment, fault: Fault) -> Fate {
    Fate {
        moment,
        fault,
        ..Fate::CLEAN
    }
}

fn hears(heard: &Receiver<Heard>, wanted: &[u8]) {
    let mut all = Vec::new();
    while all.len() < wanted.len() {
        match heard.recv_timeout(PATIENCE) {
            Ok(Heard::Bytes(bytes)) => all.extend(bytes),
            other => panic!("{other:?} after {all:?}"),
        }
    }
    assert_eq!(all, wanted);
}

#[test]
fn slices_and_latency_change_nothing_that_is_said() {
    let (address, heard) = server();
    let fate = Fate {
        latency: Duration::from_millis(30),
        jitter: Duration::from_millis(5),
        slice_max: 3,
        ..Fate::CLEAN
    };
    let proxy = FaultProxy::with_fate(address, fate);
    let mut client = connect(&proxy);
    let began = Instant::now();
    let words = b"what comes in slices is still the same";
    client.write_all(words).unwrap();
    hears(&heard, words);
    assert!(began.elapsed() >= Duration::from_millis(30));
    assert!(!read(&mut client).unwrap().is_empty());
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), Heard::End);
}

#[test]
fn a_cut_is_an_orderly_end_and_a_reset_is_none() {
    let (address, heard) = server();
    let proxy = FaultProxy::with_fate(address, at(Moment::Said(4), Fault::Cut));
    let mut client = connect(&proxy);
    client.write_all(b"ping").unwrap();
    while !read(&mut client).unwrap().is_empty() {}
    // It may have been about to answer, and heard that nobody is there.
    while matches!(heard.recv_timeout(PATIENCE).unwrap(), Heard::Bytes(_)) {}
    let proxy = FaultProxy::with_fate(address, at(Moment::Said(4), Fault::Reset));
    let mut client = connect(&proxy);
    client.write_all(b"ping").unwrap();
    let error = loop {
        match read(&mut client) {
            Ok(bytes) => assert!(!bytes.is_empty(), "an orderly end"),
            Err(error) => break error,
        }
    };
    assert_eq!(error, ErrorKind::ConnectionReset);
    // A server that was just writing is told by its write, and then reads an end.
    while matches!(heard.recv_timeout(PATIENCE).unwrap(), Heard::Bytes(_)) {}
}

#[test]
fn half_open_ways_lead_nowhere_and_nobody_is_told() {
    let (address, heard) = server();
    let fault = Fault::HalfOpen {
        up: false,
        down: true,
    };
    let proxy = FaultProxy::with_fate(address, at(Moment::After(Duration::ZERO), fault));
    let mut client = connect(&proxy);
    assert!(is_silent(&mut client));
    client.write_all(b"ping").unwrap();
    hears(&heard, b"ping");
    assert!(is_silent(&mut client), "the answer came");
    let fault = Fault::HalfOpen {
        up: true,
        down: false,
    };
    let proxy = FaultProxy::with_fate(address, at(Moment::After(Duration::ZERO), fault));
    let mut client = connect(&proxy);
    assert!(is_silent(&mut client));
    client.write_all(b"ping").unwrap();
    assert!(
        is_silent(&mut client) && heard.try_recv().is_err(),
        "it came through"
    );
    proxy.heal();
    client.write_all(b"ping").unwrap();
    assert!(
        is_silent(&mut client),
        "healing does not open what is half-open"
    );
}

#[test]
fn a_black_hole_gives_back_what_it_swallowed() {
    let (address, heard) = server();
    let fault = Fault::BlackHole(Duration::from_millis(700));
    let proxy = FaultProxy::with_fate(address, at(Moment::Said(1), fault));
    let mut client = connect(&proxy);
    client.write_all(b"1").unwrap();
    let began = Instant::now();
    // The first byte may or may not be in time.
    client.write_all(b"23").unwrap();
    hears(&heard, b"123");
    while read(&mut client).unwrap().is_empty() {}
    assert!(began.elapsed() >= Duration::from_millis(400));
}

#[test]
fn a_half_close_is_seen_by_the_client_only() {
    let (address, heard) = server();
    let proxy = FaultProxy::with_fate(address, at(Moment::Said(4), Fault::HalfClose));
    let mut client = connect(&proxy);
    client.write_all(b"ping").unwrap();
    while !read(&mut client).unwrap().is_empty() {}
    client.write_all(b"still").unwrap();
    hears(&heard, b"pingstill");
}

#[test]
fn a_limit_of_bandwidth_makes_much_late() {
    let (address, heard) = server();
    let fate = Fate {
        bytes_per_s: 10_000,
        ..Fate::CLEAN
    };
    let proxy = FaultProxy::with_fate(address, fate);
    let mut client = connect(&proxy);
    let began = Instant::now();
    let words = [7; 5_000];
    client.write_all(&words).unwrap();
    hears(&heard, &words);
    assert!(began.elapsed() >= Duration::from_millis(500));
}

#[test]
fn one_bit_of_one_way_is_flipped() {
    let (address, heard) = server();
    let fault = Fault::Corrupt(Way::Up);
    let proxy = FaultProxy::with_fate(address, at(Moment::Said(1), fault));
    let mut client = connect(&proxy);
    let mut flipped = 0;
    // Which of them it is does not matter: the moment may be a little late.
    for _ in 0..20 {
        client.write_all(b"ping").unwrap();
        let Ok(Heard::Bytes(bytes)) = heard.recv_timeout(PATIENCE) else {
            panic!("nothing came");
        };
        let bits = bytes.iter().zip(b"ping").map(|(one, other)| one ^ other);
        flipped += bits.map(u8::count_ones).sum::<u32>();
        assert_eq!(read(&mut client).unwrap(), b"answer", "the other way");
    }
    assert_eq!((flipped, proxy.damaged()), (1, 1));
}

/// What the promises of the SDK rest on where bits are flipped.
#[test]
fn whoever_speaks_tls_notices_a_flipped_bit() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .open()
        .chat_flag("--tls-self-signed=true", "--require-tls=false")
        .start();
    let mut damaged = 0;
    for way in [Way::Up, Way::Down] {
        for bytes in [1, 200, 1000] {
            let moment = match way {
                Way::Up => Moment::Said(bytes),
                Way::Down => Moment::Answered(bytes),
            };
            let proxy = FaultProxy::with_fate(server.chat, at(moment, Fault::Corrupt(way)));
            let tunnel = Tunnel::to(proxy.address());
            let mut client = TcpStream::connect(tunnel.address).unwrap();
            client.set_read_timeout(Some(PATIENCE)).unwrap();
            let request = b"GET /api/v1/server HTTP/1.1\r\nhost: x\r\n\r\n";
            let mut answers = Vec::new();
            // Until it ends: a connection that nobody harmed would be answered for ever.
            for _ in 0..1000 {
                let said = client.write_all(request).is_ok();
                match read(&mut client) {
                    Ok(bytes) if said && !bytes.is_empty() => answers.extend(bytes),
                    _ => break,
                }
            }
            assert_eq!(proxy.damaged(), 1, "{way:?} {bytes}");
            damaged += proxy.damaged();
            let answers = String::from_utf8(answers).unwrap();
            let whole = answers.matches("HTTP/1.1 200 OK\r\n").count();
            assert_eq!(answers.matches("HTTP/1.1").count(), whole, "{answers}");
            assert!(whole < 1000, "{way:?} {bytes}: nobody noticed");
        }
    }
    assert_eq!(damaged, 6);
}

#[test]
fn a_lost_answer_was_heard_and_answered() {
    let (address, heard) = server();
    let proxy = FaultProxy::with_fate(address, at(Moment::Answered(6), Fault::LoseAnswer));
    let mut client = connect(&proxy);
    client.write_all(b"first").unwrap();
    assert_eq!(read(&mut client).unwrap(), b"answer");
    hears(&heard, b"first");
    client.write_all(b"second").unwrap();
    hears(&heard, b"second");
    assert!(
        read(&mut client).unwrap().is_empty(),
        "the connection ends without an answer"
    );
}

#[test]
fn two_websockets_together_are_noticed() {
    let (address, _heard) = server();
    let proxy = FaultProxy::with_fate(address, Fate::CLEAN);
    let request = b"GET /api/v1/ws HTTP/1.1\r\n\r\n";
    let open = |proxy| {
        let mut client = connect(proxy);
        client.write_all(request).unwrap();
        read(&mut client).unwrap();
        client
    };
    let first = open(&proxy);
    drop(first);
    let second = open(&proxy);
    assert!(
        !is_noticed(&proxy, Duration::from_millis(2500)),
        "{:?}",
        proxy.overlaps()
    );
    let third = open(&proxy);
    assert!(is_noticed(&proxy, PATIENCE), "{}", proxy.story());
    drop((second, third));
}

/// Whether an overlap is noticed in time. The proxy tells nobody, so this asks again.
fn is_noticed(proxy: &FaultProxy, patience: Duration) -> bool {
    let deadline = Instant::now() + patience;
    while Instant::now() < deadline {
        if !proxy.overlaps().is_empty() {
            return true;
        }
        thread::park_timeout(Duration::from_millis(20));
    }
    false
}
