//! A database that is late, goes away, dies and freezes, on an instance of the test's own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use myim_tests::api_person::said;
use myim_tests::mariadb::{Database, MariaDb};
use myim_tests::peer::Peer;
use myim_tests::person::{Person, code, login_data, password};
use myim_tests::process::PROCESS_PATIENCE;
use myim_tests::server::{Kind, Server, Setup};
use myim_tests::wire::Flavor;
use mysql_async::prelude::Queryable;
use rustix::process::Signal;
use serde_json::json;

fn on(database: &MariaDb) -> Setup {
    let database = Arc::new(Database::on(&database.url()));
    Setup::with_database(Kind::Whole, Some(database)).open()
}

/// Tries to log in until it works: on new connections, as a client does.
fn login_at_last(server: &Server, name: &str, flavor: Flavor) -> Person {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match Person::try_login(server.peer(flavor), name, &password(name)) {
            Ok(person) => return person,
            Err(said) => assert!(
                Instant::now() < deadline,
                "{said}\n{}",
                server.program().story()
            ),
        }
        // The server answers at once that it cannot: half a second of silence is our back-off.
        let _ = server.peer(flavor).try_next(Duration::from_millis(500));
    }
}

/// The code of a login while there is no database; the answer comes, and says no.
fn refused_login(server: &Server) -> i64 {
    let mut peer = server.peer(Flavor::Pc);
    peer.send(1002, 0, login_data("ann", &password("ann"), 1, 1));
    code(&peer.expect(1002).json())
}

#[test]
fn the_server_is_there_before_the_database() {
    let mut database = MariaDb::not_started();
    let name = database.url() + "/myim_late";
    let setup = Setup::with_database(Kind::Whole, None).chat_flag("--database", &name);
    let server = setup.start();
    assert!(
        server
            .program()
            .logs_within("database", Duration::from_secs(20)),
        "it says that it is waiting"
    );
    let refused = refused_login(&server);
    assert!(
        refused != 0 && refused != 102 && refused != 103,
        "code {refused}"
    );
    server.peer(Flavor::Pc).silent();
    database.start();
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let data = json!({"username": "ann", "nickname": "Ann", "password": password("ann")});
        let mut peer = server.peer(Flavor::Pc);
        peer.send(1001, 0, data.to_string());
        if code(&peer.expect(1001).json()) == 0 {
            break;
        }
        assert!(Instant::now() < deadline, "{}", server.program().story());
        let _ = peer.try_next(Duration::from_millis(500));
    }
    assert_eq!(login_at_last(&server, "ann", Flavor::Pc).id, 1);
}

/// What both of them must have in the end, whatever happened to the database in between.
fn whole_and_in_order(server: &Server, confirmed: &[String]) {
    let mut phone = login_at_last(server, "bob", Flavor::Android);
    let mut heard = Vec::new();
    // The server may still be finding its way back to the database.
    while heard.last() != confirmed.last() {
        heard.push(phone.hear().text().to_owned());
    }
    phone.silent_but_notices();
    let mut rest = heard.iter();
    for text in confirmed {
        assert!(
            rest.any(|heard| heard == text),
            "{text} is missing or late in {heard:?}"
        );
    }
    let mut once = heard.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), heard.len(), "something came twice: {heard:?}");
}

/// Says it and waits until the server has taken it; false if it could not.
fn say_for_sure(ann: &mut Person, to: i32, text: &str) -> bool {
    let fields = myim_tests::wire::Fields::chat(1100, 1, myim_tests::person::message(text)).int(to);
    if !ann.try_send_raw(&fields.packed(Flavor::Pc)) {
        return false;
    }
    let beat = myim_tests::wire::Fields::chat(1000, 77, "").packed(Flavor::Pc);
    if !ann.try_send_raw(&beat) {
        return false;
    }
    loop {
        match ann.try_next(Duration::from_secs(15)) {
            Ok(packet) if packet.cmd == 1000 && packet.seq == 77 => return true,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}

/// Ann writes before, during and after the fault.
fn through(fault: impl FnOnce(&mut MariaDb), heal: impl FnOnce(&mut MariaDb)) {
    let mut database = MariaDb::private();
    let server = on(&database).start();
    let (mut ann, bob) = server.friends();
    // Known from now on: what comes later is for the phone too, whatever the PC receives.
    drop(server.login("bob", Flavor::Android));
    bob.hang_up_and_wait(&mut ann);
    let mut confirmed = Vec::new();
    for number in 0..20 {
        let text = format!("before {number}");
        assert!(say_for_sure(&mut ann, 2, &text));
        confirmed.push(text);
    }
    fault(&mut database);
    // A message now is not confirmed, or the connection is closed, or it is delivered later; the
    // server itself goes on.
    let during = say_for_sure(&mut ann, 2, "during");
    server.peer(Flavor::Pc).silent();
    heal(&mut database);
    let mut ann = login_at_last(&server, "ann", Flavor::Pc);
    for number in 0..20 {
        let text = format!("after {number}");
        let mut sent = say_for_sure(&mut ann, 2, &text);
        let deadline = Instant::now() + Duration::from_secs(30);
        while !sent {
            assert!(Instant::now() < deadline, "{}", server.program().story());
            ann = login_at_last(&server, "ann", Flavor::Pc);
            sent = say_for_sure(&mut ann, 2, &text);
        }
        confirmed.push(text);
    }
    // Not told apart from a confirmation on this protocol: it may be there or not, but not twice.
    let _ = during;
    whole_and_in_order(&server, &confirmed);
    assert!(server.program().is_running());
}

#[test]
fn stopped_and_started_again() {
    through(MariaDb::stop, MariaDb::start);
}

#[test]
fn killed_and_started_again() {
    through(MariaDb::kill, MariaDb::start);
}

#[test]
fn frozen_for_a_while() {
    through(
        |database| database.process().signal(Signal::STOP),
        |database| database.process().signal(Signal::CONT),
    );
}

#[test]
fn clients_are_told_while_the_database_is_away() {
    let mut database = MariaDb::private();
    let server = on(&database).start();
    let (ann, _bob) = server.friends();
    drop(ann);
    database.stop();
    let started = Instant::now();
    let refused = refused_login(&server);
    assert!(
        refused != 0 && refused != 102 && refused != 103,
        "code {refused}"
    );
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "it does not keep clients waiting"
    );
    let mut peer: Peer = server.peer(Flavor::Pc);
    let data = json!({"username": "cid", "nickname": "Cid", "password": "ppp"});
    peer.send(1001, 0, data.to_string());
    assert_eq!(code(&peer.expect(1001).json()), 100);
    server.logged("database");
    database.start();
    login_at_last(&server, "ann", Flavor::Pc);
}

/// A database that acknowledges what a power cut takes away.
#[test]
fn a_database_that_may_lose_messages_is_refused() {
    let mut database = MariaDb::not_started();
    database.flag("--innodb-flush-log-at-trx-commit=2".to_owned());
    database.start();
    let setup = on(&database);
    for program in setup.start_unready() {
        let status = program.wait(PROCESS_PATIENCE);
        assert!(!status.success(), "{}", program.story());
        let story = program.story();
        assert!(
            story.contains("innodb_flush_log_at_trx_commit"),
            "it names the setting: {story}"
        );
    }
    setup
        .variable("MYIM_ACCEPT_WEAK_DURABILITY", "true")
        .start();
}

#[test]
fn two_servers_start_together_on_an_empty_database() {
    let database = MariaDb::private();
    let shared = Arc::new(Database::on(&database.url()));
    let starts: Vec<_> = (0..3)
        .map(|_| {
            let setup = Setup::with_database(Kind::Separate, Some(Arc::clone(&shared))).open();
            std::thread::spawn(move || setup.start())
        })
        .collect();
    let servers: Vec<_> = starts
        .into_iter()
        .map(|start| start.join().unwrap())
        .collect();
    let ann = servers[0].join("ann", Flavor::Pc);
    assert_eq!(ann.id, 1);
    assert_eq!(servers[1].login("ann", Flavor::Android).id, 1);
    assert_eq!(servers[2].join("bob", Flavor::Pc).id, 2);
    let tables = shared.read("SHOW TABLES");
    for table in ["t_user", "t_user_relationship", "t_chatmsg"] {
        assert!(
            tables.iter().any(|name| name == table),
            "{table} in {tables:?}"
        );
    }
}

/// Somebody else who works on the instance of a server.
struct Outsider {
    runtime: tokio::runtime::Runtime,
    conn: mysql_async::Conn,
}

impl Outsider {
    fn on(database: &MariaDb) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let conn = mysql_async::Conn::from_url(database.url() + "/");
        let conn = runtime.block_on(conn).unwrap();
        Self { runtime, conn }
    }

    fn run(&mut self, statement: &str) {
        let done = self.conn.query_drop(statement);
        self.runtime.block_on(done).unwrap();
    }

    /// The connections that wait for the end of their commit.
    fn committing(&mut self) -> Vec<u64> {
        let sql = "SELECT ID FROM information_schema.PROCESSLIST WHERE INFO = 'COMMIT'";
        self.runtime.block_on(self.conn.query(sql)).unwrap()
    }

    /// Looks again and again until there are so many of them.
    fn until_committing(&mut self, count: usize) -> Vec<u64> {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let committing = self.committing();
            if committing.len() == count {
                return committing;
            }
            assert!(Instant::now() < deadline, "{committing:?}");
        }
    }
}

/// Nobody knows then what became of the commit. The sender waits, and it is repeated.
#[test]
fn a_connection_that_is_killed_in_the_middle_of_a_commit() {
    let database = MariaDb::private();
    let server = on(&database).wait_for_database().start();
    let (ann, bob) = server.acquainted();
    let direct = ann.direct(&bob.user_id);
    let first = ann.say(&direct, "first", "before");
    let mut outsider = Outsider::on(&database);
    for stage in ["START", "FLUSH", "BLOCK_DDL", "BLOCK_COMMIT"] {
        outsider.run(&format!("BACKUP STAGE {stage}"));
    }
    let second = std::thread::scope(|scope| {
        let said = scope.spawn(|| ann.say(&direct, "second", "in the middle"));
        let connection = outsider.until_committing(1)[0];
        outsider.run(&format!("KILL CONNECTION {connection}"));
        // The repetition is on a connection of its own.
        while outsider.until_committing(1) == [connection] {}
        outsider.run("BACKUP STAGE END");
        said.join().unwrap()
    });
    server.logged("the database did not say whether it saved the change");
    assert_eq!(second, first + 1);
    let history: Vec<_> = bob.history(&direct).iter().map(said).collect();
    assert_eq!(history, ["before", "in the middle"]);
}
