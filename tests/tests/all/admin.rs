//! The admin port: alive, ready, counted, which version.

use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use myim_tests::http::{Answer, get};
use myim_tests::machine::{Need, program_or_skip};
use myim_tests::mariadb::{Database, MariaDb};
use myim_tests::process::{PROCESS_PATIENCE, Process};
use myim_tests::server::{Db, Kind, Server, Setup};
use myim_tests::tls::Tunnel;
use myim_tests::transfer::{Transfer, content};
use myim_tests::wire::Flavor;
use rustix::process::Signal;

tests! {
    sqlite: every_program_answers, what_happens_is_counted;
    mariadb: every_program_answers, what_happens_is_counted,
}

fn every_program_answers(server: &mut Server) {
    assert_eq!(server.admin.len(), server.programs().len());
    for (number, admin) in server.admin.iter().enumerate() {
        assert!(admin.ip().is_loopback());
        assert_eq!(get(*admin, "/livez").body, "ok\n");
        let ready = get(*admin, "/readyz");
        assert_eq!(ready.status, 200, "{ready:?}");
        let report = ready.json();
        assert_eq!(report["ready"], true);
        let mut checks = vec!["database", "draining", "durability"];
        if server.programs().len() == 1 || number > 0 {
            checks.extend(["disk", "filecache"]);
        }
        checks.sort_unstable();
        let found = report["checks"].as_object().unwrap();
        let mut names: Vec<_> = found.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, checks);
        assert!(found.values().all(|check| check["ok"] == true), "{report}");
        let version = get(*admin, "/version").json();
        assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(get(*admin, "/").status, 404);
    }
}

/// The number behind a metric with its labels.
fn count(metrics: &Answer, name: &str) -> f64 {
    let line = metrics
        .body
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
        .unwrap_or_else(|| panic!("no {name} in\n{}", metrics.body));
    line.trim().parse().unwrap()
}

/// All numbers, as soon as this one is so.
fn counted_when(admin: SocketAddr, name: &str, number: f64) -> Answer {
    let deadline = Instant::now() + PROCESS_PATIENCE;
    loop {
        let metrics = get(admin, "/metrics");
        if count(&metrics, name) == number {
            return metrics;
        }
        assert!(Instant::now() < deadline, "{name}\n{}", metrics.body);
    }
}

fn what_happens_is_counted(server: &mut Server) {
    let (mut ann, mut bob) = server.friends();
    ann.say(bob.id, "hi");
    bob.hears(&["hi"]);
    assert!(
        myim_tests::person::Person::try_login(server.peer(Flavor::Pc), "ann", "wrong").is_err()
    );
    let mut bad = server.peer(Flavor::Pc);
    bad.send_raw(&[0xff; 100]);
    bad.closed();
    // Those that were turned away are still being said goodbye to.
    let chat = counted_when(
        server.admin[0],
        "myim_connections{transport=\"flamingo\"}",
        2.0,
    );
    assert!(
        chat.head.contains("text/plain; version=0.0.4"),
        "{}",
        chat.head
    );
    let at_least = |name: &str, least: f64| {
        let number = count(&chat, name);
        assert!(number >= least, "{name} is {number}\n{}", chat.body);
    };
    let build = format!(
        "myim_build_info{{version=\"{}\"}}",
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(count(&chat, &build), 1.0);
    at_least("myim_accepts_total{result=\"admitted\"}", 4.0);
    at_least("myim_messages_accepted_total", 2.0);
    at_least("myim_ack_duration_seconds_count", 1.0);
    at_least("myim_commit_duration_seconds_count", 2.0);
    at_least("myim_commit_batch_size_bucket{le=\"1024\"}", 2.0);
    assert_eq!(
        count(&chat, "myim_auth_attempts_total{result=\"right\"}"),
        2.0
    );
    assert_eq!(
        count(&chat, "myim_auth_attempts_total{result=\"wrong_password\"}"),
        1.0
    );
    let bad_frames = "myim_protocol_errors_total{transport=\"flamingo\",reason=\"bad_frame\"}";
    assert_eq!(count(&chat, bad_frames), 1.0);
    at_least("process_resident_memory_bytes", 1e6);
    at_least("process_open_fds", 5.0);
    at_least("process_start_time_seconds", 1.6e9);

    let bytes = content(300_000, 1);
    let mut files = Transfer::connect(server.file, Flavor::Pc);
    let name = files.upload(&bytes);
    files.download(&name).unwrap();
    let admin = server.admin[(server.admin.len() - 1).min(1)];
    // Counted when it is written, which may be after it was read.
    let transfer = counted_when(admin, "myim_download_bytes_total", 300_000.0);
    assert_eq!(count(&transfer, "myim_upload_bytes_total"), 300_000.0);
    assert_eq!(count(&transfer, "myim_uploads_active"), 0.0);
    assert_eq!(
        count(&transfer, "myim_connections{transport=\"transfer\"}"),
        1.0
    );
    check_form(&chat.body);
    check_form(&transfer.body);
}

/// Lets Prometheus' own tool look at it, where that is installed.
fn check_form(metrics: &str) {
    let Some(promtool) = program_or_skip(Need::PromTool, "the form of the metrics") else {
        return;
    };
    let started = Command::new(promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut promtool = started.unwrap();
    let mut input = promtool.stdin.take().unwrap();
    input.write_all(metrics.as_bytes()).unwrap();
    drop(input);
    let said = promtool.wait_with_output().unwrap();
    let words = String::from_utf8_lossy(&said.stderr);
    assert!(
        said.status.success() && words.is_empty(),
        "{words}\n{metrics}"
    );
}

#[test]
fn handshakes_are_counted() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .chat_flag("--tls-self-signed=true", "--require-tls=false")
        .start();
    let tunnel = Tunnel::to(server.chat);
    assert_eq!(get(tunnel.address, "/nothing").status, 404);
    let metrics = get(server.admin[0], "/metrics");
    assert_eq!(
        count(&metrics, "myim_handshake_duration_seconds_count"),
        1.0
    );
    check_form(&metrics.body);
}

#[test]
fn the_admin_port_can_be_off() {
    let setup = Setup::new(Kind::Whole, Db::Sqlite).admin_port("off");
    let server = setup.start();
    assert!(server.admin.is_empty());
    assert!(!server.program().output().contains("admin"));
}

/// Asks until the answer has this status, and says how long the last answer took.
fn until(admin: SocketAddr, status: u16) -> (Answer, Duration) {
    let deadline = Instant::now() + PROCESS_PATIENCE;
    loop {
        let asked = Instant::now();
        let answer = get(admin, "/readyz");
        if answer.status == status {
            return (answer, asked.elapsed());
        }
        assert!(Instant::now() < deadline, "{answer:?}");
    }
}

#[test]
fn without_its_database_a_server_is_alive_but_not_ready() {
    let mut database = MariaDb::private();
    let on = Arc::new(Database::on(&database.url()));
    let server = Setup::with_database(Kind::Whole, Some(on)).start();
    let admin = server.admin[0];
    until(admin, 200);

    database.process().signal(Signal::STOP);
    let asked = Instant::now();
    let hanging = get(admin, "/readyz");
    let took = asked.elapsed();
    assert_eq!(hanging.status, 503, "{hanging:?}");
    assert_eq!(hanging.json()["checks"]["database"]["ok"], false);
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert_eq!(get(admin, "/livez").status, 200);
    database.process().signal(Signal::CONT);
    until(admin, 200);

    database.kill();
    let (gone, took) = until(admin, 503);
    assert_eq!(gone.json()["checks"]["draining"]["ok"], true);
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert_eq!(get(admin, "/livez").status, 200);
    database.start();
    until(admin, 200);
}

#[test]
fn a_server_that_stops_says_so_while_it_finishes() {
    let server = Setup::new(Kind::Whole, Db::Sqlite).open().start();
    let admin = server.admin[0];
    // A half request keeps the file server from being done.
    let mut peer = Transfer::connect(server.file, Flavor::Pc);
    peer.send_raw(&1000_u64.to_le_bytes());
    peer.send_raw(&[0; 6]);
    until(admin, 200);
    server.program().signal(Signal::TERM);
    let (stopping, _) = until(admin, 503);
    assert_eq!(stopping.json()["checks"]["draining"]["ok"], false);
    peer.hang_up();
    assert!(server.program().wait(PROCESS_PATIENCE).success());
}

#[test]
fn too_little_disk_is_told() {
    let setup = Setup::new(Kind::Whole, Db::Sqlite);
    let server = setup
        .flag("--ready-disk-free-bytes-min", "100000TiB")
        .start();
    let full = get(server.admin[0], "/readyz");
    assert_eq!(full.status, 503);
    assert_eq!(full.json()["checks"]["disk"]["ok"], false);
}

#[test]
fn a_taken_admin_port_is_named() {
    let server = Server::sqlite();
    let taken = server.admin[0].port().to_string();
    let other = Setup::new(Kind::Whole, Db::Sqlite).admin_port(&taken);
    let second = Process::spawn(&mut other.whole([0, 0, 0]));
    assert_eq!(second.wait(PROCESS_PATIENCE).code(), Some(74));
    assert!(second.log().contains("--admin-port"), "{}", second.story());
    assert!(!other.filecache().exists() && !other.data_dir().exists());
}
