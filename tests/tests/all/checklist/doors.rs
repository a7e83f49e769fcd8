//! Rows 98 to 100: the HTTP service and the text monitor.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use myim_tests::peer::PATIENCE;
use myim_tests::person::{Person, message, register};
use myim_tests::ports::kept_port;
use myim_tests::server::{Db, Kind, Server, Setup};
use myim_tests::wire::Flavor;

fn with_door(flag: &str) -> (Server, SocketAddr) {
    let port = kept_port();
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .chat_flag(flag, &port.to_string())
        .start();
    server.logged("listens");
    (server, (Ipv4Addr::LOCALHOST, port).into())
}

/// Sends one request and reads to the end.
fn get(address: SocketAddr, target: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nHost: example\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn row_098_register_over_http() {
    let (server, http) = with_door("--http-port");
    let partly = "/register.do?p={%22username%22:%20%22web%22,%20%22nickname%22:%20%22H%22,\
                  %20%22password%22:%20%22ppp%22}";
    let fully = "/register.do?p=%7B%22username%22%3A%20%22web2%22%2C%20%22nickname%22%3A%20%22H\
                 %E7%81%AB%22%2C%20%22password%22%3A%20%22ppp%22%7D";
    for (target, length, body) in [
        (partly, 24, r#"{"code": 0, "msg": "ok"}"#),
        (partly, 42, r#"{"code": 101, "msg": "registered already"}"#),
        (fully, 24, r#"{"code": 0, "msg": "ok"}"#),
    ] {
        let answer = get(http, target);
        let (head, text) = answer.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        let head = head.to_lowercase().replace(": ", ":");
        assert!(head.contains(&format!("content-length:{length}")), "{head}");
        assert!(head.contains("content-type:text/html"), "{head}");
        assert_eq!(text, body);
    }
    for name in ["web", "web2"] {
        Person::login(server.peer(Flavor::Android), name, "ppp");
    }
}

#[test]
fn row_099_other_paths_are_closed() {
    let (server, http) = with_door("--http-port");
    for target in [
        "/nothing.do?p={}",
        "/",
        "/register.do",
        "/login.do?p={}",
        "/getfriendlist.do?p={}",
        "/register.do?p=nonsense",
        "/register.do?p=%",
        "/register.do?p=%7",
        "/register.do?p=%ff%fe",
        "/register.do?",
    ] {
        assert_eq!(get(http, target), "", "{target}");
    }
    let mut stream = TcpStream::connect(http).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // The server may close before it has read all of it.
    let _ = stream.write_all(&[b'x'; 5000]);
    let _ = stream.write_all(b"\r\n\r\n");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
        "{answer}"
    );
    server.peer(Flavor::Pc).silent();
}

const HELP: &str = "1. help-show help info
2. ul-show online user list
3. su-show userinfo specified by userid: su [userid]
4. elpb-enable log package binary data
5. dlpb-disable log package binary data
";

#[derive(Debug)]
struct Monitor(BufReader<TcpStream>);

impl Monitor {
    fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut monitor = Self(BufReader::new(stream));
        assert_eq!(monitor.lines(5), HELP);
        monitor
    }

    fn lines(&mut self, count: usize) -> String {
        let mut text = String::new();
        for _ in 0..count {
            self.0.read_line(&mut text).expect("the monitor answers");
        }
        text
    }

    fn ask(&mut self, command: &str) -> String {
        self.0.get_mut().write_all(command.as_bytes()).unwrap();
        self.lines(1)
    }
}

#[test]
fn row_100_the_monitor() {
    let (server, address) = with_door("--monitor-port");
    assert_eq!(Monitor::connect(address).ask("ul\n"), "No user online.\n");
    assert_eq!(register(server.chat, "ann", "Ann \"A\"", "secret-word"), 0);
    let mut ann = Person::login(server.peer(Flavor::Pc), "ann", "secret-word");
    ann.send_chat(ann.id, message("to myself"));
    let mut monitor = Monitor::connect(address);
    let mut said = String::new();
    for command in ["ul\n", "ul\r\n", "ul 123\n"] {
        let line = monitor.ask(command);
        assert!(line.starts_with("sessionid:"), "{line}");
        assert!(
            line.ends_with("userid:1,username:ann,clienttype:1,status:1.\n"),
            "{line}"
        );
        said += &line;
    }
    let user = monitor.ask("su 1\n");
    for part in [
        r#""address":"""#,
        r#""birthday":19900101"#,
        r#""userid":1"#,
        r#""username":"ann""#,
    ] {
        assert!(user.contains(part), "{user}");
    }
    said += &user;
    for (command, answer) in [
        ("su 999\n", "user not found.\n"),
        ("su x\n", "user not found.\n"),
        ("su\n", "please specify userid.\n"),
        ("elpb\r\n", "OK.\n"),
        ("dlpb\n", "OK.\n"),
        ("xyz\n", "cmd not support\n"),
        ("\n\r\nxyz\n", "cmd not support\n"),
    ] {
        assert_eq!(monitor.ask(command), answer, "{command:?}");
    }
    monitor.0.get_mut().write_all(b"help\r\n").unwrap();
    assert_eq!(monitor.lines(5), HELP);
    assert!(
        !said.contains("secret-word") && !said.contains("password"),
        "{said}"
    );
    assert!(!server.program().log().contains("secret-word"));
}
