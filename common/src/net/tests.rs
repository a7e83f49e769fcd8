//! Tests of the accept loop and the sockets, over loopback.

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::*;

const LONG: Duration = Duration::from_secs(10);

/// A running accept loop whose connections come out of a channel.
struct Running {
    address: SocketAddr,
    accepted: mpsc::Receiver<Connection>,
    shutdown: CancellationToken,
    loop_task: tokio::task::JoinHandle<()>,
}

fn start(limits: ConnectionLimits) -> Running {
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr();
    let (give, accepted) = mpsc::channel(16);
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    let loop_task = tokio::spawn(async move {
        let tasks = TaskTracker::new();
        serve(listener, limits, stop, &tasks, |connection| {
            let give = give.clone();
            async move { give.send(connection).await.unwrap() }
        })
        .await;
    });
    Running {
        address,
        accepted,
        shutdown,
        loop_task,
    }
}

impl Running {
    async fn pair(&mut self) -> (TcpStream, Connection) {
        let client = TcpStream::connect(self.address).await.unwrap();
        let connection = timeout(LONG, self.accepted.recv()).await.unwrap().unwrap();
        (client, connection)
    }
}

#[tokio::test]
async fn a_connection_over_the_limit_is_closed_and_a_permit_comes_back() {
    let mut running = start(ConnectionLimits {
        greeting_per_address_max: 1,
        ..ConnectionLimits::default()
    });
    let (_client, first) = running.pair().await;
    let mut refused = TcpStream::connect(running.address).await.unwrap();
    let end = timeout(LONG, refused.read(&mut [0; 1])).await.unwrap();
    assert!(matches!(end, Ok(0) | Err(_)));
    first.permit.greeted();
    let (_client, second) = running.pair().await;
    assert!(second.id > first.id);
    drop(second);
    running.pair().await;
}

#[tokio::test]
async fn shutdown_closes_the_port() {
    let running = start(ConnectionLimits::default());
    running.shutdown.cancel();
    timeout(LONG, running.loop_task).await.unwrap().unwrap();
    assert!(TcpStream::connect(running.address).await.is_err());
}

#[tokio::test]
async fn failing_accepts_wait_longer_and_longer() {
    let mut door = Door::new(ConnectionLimits::default());
    let full = io::Error::from_raw_os_error(libc::EMFILE);
    let pauses: Vec<_> = (0..12).map(|_| door.pause(&full)).collect();
    assert_eq!(pauses[0], PAUSE_FIRST);
    assert_eq!(pauses[1], PAUSE_FIRST * 2);
    assert_eq!(pauses[11], PAUSE_MAX);
    let gone = io::Error::from(ErrorKind::ConnectionAborted);
    assert_eq!(door.pause(&gone), Duration::ZERO);
}

#[tokio::test]
async fn a_read_appends_no_more_than_the_limit() {
    let mut running = start(ConnectionLimits::default());
    let (mut client, mut served) = running.pair().await;
    client.write_all(b"hello world").await.unwrap();
    let mut buffer = BytesMut::new();
    assert_eq!(served.socket.read(&mut buffer, 5).await.unwrap(), 5);
    assert_eq!(&buffer[..], b"hello");
    buffer.reserve(8192);
    while buffer.len() < 11 {
        served.socket.read(&mut buffer, 3).await.unwrap();
    }
    assert_eq!(&buffer[..], b"hello world");
    drop(client);
    assert_eq!(served.socket.read(&mut buffer, 3).await.unwrap(), 0);
}

#[tokio::test]
async fn waiting_for_bytes_takes_no_buffer_and_can_be_given_up() {
    let mut running = start(ConnectionLimits::default());
    let (mut client, mut served) = running.pair().await;
    let mut buffer = BytesMut::new();
    let waited = timeout(
        Duration::from_millis(20),
        served.socket.read(&mut buffer, 100),
    );
    assert!(waited.await.is_err());
    assert_eq!(buffer.capacity(), 0);
    client.write_all(b"x").await.unwrap();
    assert_eq!(served.socket.read(&mut buffer, 100).await.unwrap(), 1);
}

#[tokio::test]
async fn a_peer_that_never_reads_stalls_the_writer_and_no_longer() {
    let mut running = start(ConnectionLimits::default());
    let (mut client, mut served) = running.pair().await;
    let much = vec![7; 64 * 1024 * 1024];
    let stalled = served
        .socket
        .write_all(&much, Duration::from_millis(200))
        .await;
    assert_eq!(stalled.unwrap_err().kind(), ErrorKind::TimedOut);
    if cfg!(target_os = "linux") {
        assert!(served.socket.unsent().unwrap() > 0);
    }

    // The same amount goes through when the peer reads.
    let reader = tokio::spawn(async move {
        let mut sink = vec![0; 1024 * 1024];
        while client.read(&mut sink).await.unwrap() > 0 {}
    });
    served.socket.write_all(&much, LONG).await.unwrap();
    timeout(LONG, async {
        while served.socket.unsent().unwrap() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .unwrap();
    served.socket.close().await;
    reader.await.unwrap();
}

#[tokio::test]
async fn a_close_delivers_what_was_written_although_input_is_unread() {
    let mut running = start(ConnectionLimits::default());
    let (mut client, mut served) = running.pair().await;
    client.write_all(&[1; 100_000]).await.unwrap();
    served.socket.write_all(b"goodbye", LONG).await.unwrap();
    let closing = tokio::spawn(served.socket.close());
    let mut heard = Vec::new();
    client.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard, b"goodbye");
    drop(client);
    timeout(LONG, closing).await.unwrap().unwrap();
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_a_gone_peer_never_read_is_not_confirmed() {
    let mut running = start(ConnectionLimits::default());
    let (client, mut served) = running.pair().await;
    // Its orderly end arrives first; what is written afterwards is answered with a reset, and the
    // system's own count of unconfirmed bytes falls to 0.
    drop(client);
    served.socket.write_all(b"hello", LONG).await.unwrap();
    let mut buffer = BytesMut::new();
    assert_eq!(served.socket.read(&mut buffer, 5).await.unwrap(), 0);
    timeout(LONG, async {
        while served.socket.unsent().is_ok_and(|unsent| unsent > 0) {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    assert!(served.socket.unsent().is_err());
    assert!(served.socket.unsent().is_err(), "nor later");
}
