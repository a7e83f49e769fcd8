//! TLS for every protocol, and certificates that are replaced while connections go on.

mod scan;

use std::fs;
use std::io::Read;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use common::net::self_signed;
use myim_tests::http::{self, connect};
use myim_tests::machine::outer_address_or_skip;
use myim_tests::mariadb::MariaDb;
use myim_tests::peer::{PATIENCE, Peer};
use myim_tests::person::{Person, befriend, password};
use myim_tests::process::Process;
use myim_tests::server::{Db, Kind, Server, Setup};
use myim_tests::tls::{Tunnel, certificate};
use myim_tests::transfer::{Transfer, content};
use myim_tests::wire::Flavor;
use rustix::process::Signal;

fn self_signing() -> Setup {
    Setup::new(Kind::Whole, Db::Sqlite)
        .open()
        .chat_flag("--tls-self-signed=true", "--require-tls=false")
}

fn login(address: SocketAddr, name: &str, flavor: Flavor) -> Person {
    Person::login(Peer::connect(address, flavor), name, &password(name))
}

#[test]
fn existing_clients_talk_through_tls() {
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .open()
        .chat_flag("--tls-self-signed=true", "--require-tls=true")
        .start();
    let chat = Tunnel::to(server.chat);
    for name in ["ann", "bob"] {
        server.register(name);
    }
    let mut ann = login(chat.address, "ann", Flavor::Pc);
    // Plain text is still for this machine itself.
    let mut bob = login(server.chat, "bob", Flavor::Android);
    befriend(&mut ann, &mut bob);
    ann.say(bob.id, "whispered");
    bob.hears(&["whispered"]);
    bob.say(ann.id, "aloud");
    ann.hears(&["aloud"]);

    for server in [server.file, server.image] {
        let tunnel = Tunnel::to(server);
        let mut peer = Transfer::connect(tunnel.address, Flavor::Pc);
        let bytes = content(1_500_000, 5);
        let name = peer.upload(&bytes);
        assert_eq!(peer.download(&name).unwrap(), bytes);
    }
}

#[test]
fn what_was_received_through_tls_is_not_sent_again() {
    let server = self_signing().start();
    let tunnel = Tunnel::to(server.chat);
    let (mut ann, bob) = server.friends();
    drop(bob);
    let mut bob = login(tunnel.address, "bob", Flavor::Android);
    ann.say(bob.id, "once");
    bob.hears(&["once"]);
    bob.digest();
    drop(bob);
    let mut again = login(tunnel.address, "bob", Flavor::Android);
    again.silent_but_notices();
}

#[test]
fn a_certificate_of_ones_own_is_made_once() {
    let mut server = self_signing().start();
    let first = certificate(server.chat);
    server.logged("fingerprint");
    let folder = server.setup().data_dir().join("tls");
    let key = folder.join("self-signed.pem");
    assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(folder.join("certificate.pem").is_file());
    server.stop();
    server.again();
    assert_eq!(certificate(server.image), first);
}

/// Puts a fresh certificate and its key there.
fn write_pair(folder: &Path, name: &str) {
    let made = folder.join(name);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let both = runtime.block_on(self_signed(&made)).unwrap();
    let both = fs::read_to_string(both).unwrap();
    let at = both.find("-----BEGIN PRIVATE").unwrap();
    // The key first: a server that looks in between keeps what it has.
    fs::write(folder.join("key.pem"), &both[at..]).unwrap();
    fs::write(folder.join("cert.pem"), &both[..at]).unwrap();
}

fn with_files(setup: Setup) -> Setup {
    let folder = setup.directory().to_owned();
    write_pair(&folder, "first");
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    setup
        .flag("--tls-cert", &path("cert.pem"))
        .flag("--tls-key", &path("key.pem"))
}

fn replaced_on_sighup(server: &Server) {
    server.register("ann");
    let tunnel = Tunnel::to(server.chat);
    let mut ann = login(tunnel.address, "ann", Flavor::Pc);
    let first = certificate(server.chat);
    assert_eq!(tunnel.certificates(), std::slice::from_ref(&first));

    write_pair(server.setup().directory(), "second");
    let tell_all = || {
        let programs = server.programs().iter();
        programs.for_each(|program| program.signal(Signal::HUP));
    };
    tell_all();
    let logged = |words: &str| {
        let says = |program: &Process| program.logs_within(words, PATIENCE);
        assert!(server.programs().iter().all(says), "{words}");
    };
    logged("reloaded");
    let second = certificate(server.chat);
    assert_ne!(second, first);
    for address in [server.file, server.image] {
        assert_eq!(certificate(address), second);
    }
    ann.silent();

    fs::write(server.setup().directory().join("cert.pem"), "nonsense").unwrap();
    tell_all();
    logged("the old one stays");
    assert_eq!(certificate(server.chat), second);
    ann.silent();
}

#[test]
fn a_certificate_is_replaced_on_sighup() {
    replaced_on_sighup(&with_files(Setup::new(Kind::Whole, Db::Sqlite)).start());
}

#[test]
fn a_certificate_is_replaced_on_sighup_of_three_servers() {
    replaced_on_sighup(&with_files(Setup::new(Kind::Separate, Db::MariaDb)).start());
}

#[test]
fn a_changed_file_is_noticed_without_a_signal() {
    let server = with_files(Setup::new(Kind::Whole, Db::Sqlite)).start();
    let first = certificate(server.chat);
    write_pair(server.setup().directory(), "second");
    let deadline = Instant::now() + Duration::from_secs(30);
    while certificate(server.chat) == first {
        assert!(Instant::now() < deadline, "{}", server.program().story());
    }
}

#[test]
fn the_database_can_be_reached_through_tls_alone() {
    let setup = Setup::with_database(Kind::Whole, None);
    let folder = setup.directory().to_owned();
    write_pair(&folder, "database");
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let mut database = MariaDb::not_started();
    for flag in [
        format!("--ssl-cert={}", path("cert.pem")),
        format!("--ssl-key={}", path("key.pem")),
        "--require-secure-transport=ON".to_owned(),
    ] {
        database.flag(flag);
    }
    database.start();
    let url = |query: &str| format!("{}/myim_tls?{query}", database.url());
    let trusting = url(&format!("ssl_ca={}", path("cert.pem")));
    let server = setup.clone().chat_flag("--database", &trusting).start();
    server.register("ann");
    server.login("ann", Flavor::Pc).silent();
    server.stop();

    // Nobody that this machine trusts has signed the certificate.
    let strict = setup
        .clone()
        .chat_flag("--database", &url("require_ssl=true"));
    let strict = strict.start();
    assert_eq!(http::get(strict.admin[0], "/readyz").status, 503);
    strict.stop();
    let careless = "require_ssl=true&verify_ca=false&verify_identity=false";
    let careless = setup.chat_flag("--database", &url(careless)).start();
    careless.login("ann", Flavor::Pc).silent();
}

#[test]
fn plain_text_from_elsewhere_is_refused_when_tls_is_required() {
    let Some(outer) = outer_address_or_skip() else {
        return;
    };
    let server = Setup::new(Kind::Whole, Db::Sqlite)
        .chat_flag("--tls-self-signed=true", "--require-tls=true")
        .bind("0.0.0.0")
        .start();
    let at = |address: SocketAddr| SocketAddr::new(outer, address.port());
    let heartbeat = myim_tests::wire::Fields::chat(1000, 7, "").packed(Flavor::Pc);
    let size = 52_u64.to_le_bytes();
    for (address, said) in [
        (server.chat, &heartbeat[..]),
        (server.chat, b"GET / HTTP/1.1\r\n\r\n"),
        (server.file, &size),
        (server.image, &size),
    ] {
        let mut stream = connect(at(address));
        std::io::Write::write_all(&mut stream, said).unwrap();
        let end = stream.read(&mut [0; 16]);
        assert!(matches!(end, Ok(0) | Err(_)), "{said:?} {end:?}");
    }
    server.logged("--require-tls is set");
    server.register("ann");
    let tunnel = Tunnel::to(at(server.chat));
    login(tunnel.address, "ann", Flavor::Pc).silent();
}

#[test]
fn wrong_tls_settings_end_the_program_with_a_sentence() {
    for (flags, words) in [
        (&["--require-tls=true"][..], "--tls-self-signed"),
        (
            &["--tls-cert", "missing.pem", "--tls-key", "missing.pem"],
            "missing.pem",
        ),
        (&["--tls-cert", "missing.pem"], "--tls-key"),
    ] {
        let setup = Setup::new(Kind::Whole, Db::Sqlite);
        let mut command = setup.whole([0, 0, 0]);
        command.args(flags);
        let process = Process::spawn(&mut command);
        assert_eq!(process.wait(PATIENCE).code(), Some(64), "{flags:?}");
        assert!(process.log().contains(words), "{}", process.story());
    }
}
