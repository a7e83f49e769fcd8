//! The captures of the HTTP service and of the monitor.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};

use myim_tests::peer::PATIENCE;
use myim_tests::ports::kept_port;
use myim_tests::server::{Db, Kind, Setup};
use myim_tests::wire::Flavor;

use super::captured::{Direction, Line, lines};

fn text(line: &Line) -> &str {
    line.decoded["text"]
        .as_str()
        .expect("these captures are text")
}

/// Our answer where it differs, and why.
const DIFFERENT: &[(&str, u32, &str, &str)] = &[
    (
        "http-register-fully-escaped",
        2,
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length:24\r\n\r\n{\"code\": 0, \"msg\": \"ok\"}",
        "everything that is escaped is unescaped",
    ),
    (
        "monitor-online-users",
        5,
        "sessionid:N,userid:3,username:carol,clienttype:1,status:1.\n",
        "passwords are shown to nobody",
    ),
];

fn expected(line: &Line) -> &str {
    DIFFERENT
        .iter()
        .find(|(scenario, step, _, _)| line.is_at(scenario, *step))
        .map_or_else(|| text(line), |(_, _, ours, _)| *ours)
}

/// The number of a session is a counter.
fn masked(text: &str) -> String {
    match text.strip_prefix("sessionid:") {
        Some(rest) => {
            let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == 'N');
            format!("sessionid:N{rest}")
        }
        None => text.to_owned(),
    }
}

#[test]
fn http_and_monitor() {
    let ports = [kept_port(), kept_port()];
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .chat_flag("--http-port", &ports[0].to_string())
        .chat_flag("--monitor-port", &ports[1].to_string())
        .start();
    server.logged("registration page listens");
    server.logged("monitor listens");
    for name in ["alice", "bob"] {
        server.register(name);
    }
    assert_eq!(
        myim_tests::person::register(server.chat, "carol", "Carol", "pw"),
        0
    );
    let _carol = myim_tests::person::Person::login(server.peer(Flavor::Pc), "carol", "pw");
    let all = lines("http.jsonl", |_| true);
    for scenario in all.chunk_by(|a, b| a.scenario == b.scenario) {
        let http = scenario[0].scenario.starts_with("http-");
        let port = ports[usize::from(!http)];
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        for line in scenario {
            match line.dir {
                Direction::C2s => stream.write_all(&line.bytes()).unwrap(),
                Direction::S2c => {
                    let wanted = expected(line);
                    let got = if http {
                        to_the_end(&mut stream)
                    } else {
                        lines_of(&mut stream, wanted)
                    };
                    let place = line.place();
                    match (got.split_once("\r\n\r\n"), wanted.split_once("\r\n\r\n")) {
                        (Some((head, got)), Some((_, wanted))) => {
                            assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{place}: {head}");
                            assert_eq!(got, wanted, "{place}");
                        }
                        _ => assert_eq!(masked(&got), masked(wanted), "{place}"),
                    }
                }
            }
        }
        // The other side may have closed already.
        let _ = stream.shutdown(Shutdown::Both);
    }
}

fn to_the_end(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    stream
        .read_to_string(&mut text)
        .expect("the server answers and closes");
    text
}

/// As many lines as the expected answer has.
fn lines_of(stream: &mut TcpStream, wanted: &str) -> String {
    let mut text = Vec::new();
    let mut byte = [0];
    for _ in wanted.lines() {
        while stream.read(&mut byte).expect("the monitor answers") == 1 {
            text.push(byte[0]);
            if byte[0] == b'\n' {
                break;
            }
        }
    }
    String::from_utf8(text).expect("the monitor speaks UTF-8")
}
