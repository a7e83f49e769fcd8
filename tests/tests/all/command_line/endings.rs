//! Exit codes, and what stands on standard error then.

use std::net::TcpListener;

use myim_tests::server::Server;

use super::Machine;

#[test]
fn each_kind_of_end_has_its_code() {
    let server = Server::sqlite();
    server.sign_up("ann");
    let nobody = Machine::new(&server);
    let ann = Machine::of(&server, "ann");
    ann.run(&["conversations"]).done();
    for (args, code, word) in [
        (&["send", "nobody-at-all", "hi"][..], 1, "no_such_user"),
        (&["send", "#no such group", "hi"], 1, "no_such_group"),
        (&["search", "--limit", "no", "x"], 2, "usage"),
        (&["send"], 2, "usage"),
        (&["send", "ann", ""], 2, "usage"),
        (&["upload", "nowhere"], 5, "local"),
    ] {
        let args = [args, &["--json"]].concat();
        let ran = ann.run(&args).ended(code);
        assert_eq!(ran.error(), word, "{args:?}");
        assert_eq!(ran.out, "");
    }
    let ran = nobody.run(&["conversations", "--json"]).ended(4);
    assert_eq!(ran.error(), "not_signed_in");
    server.stop();
    let ran = ann.run(&["conversations", "--json"]).ended(3);
    assert_eq!(ran.error(), "unreachable");
}

#[test]
fn a_server_without_tls_is_told_and_gets_no_password() {
    let server = Server::sqlite();
    server.sign_up("ann");
    let machine = Machine::new(&server);
    let address = server.chat;
    let login = format!("https://{address}");
    let args = ["login", &login, "ann", "--password-file", "-"];
    let secret = format!("{}\n", myim_tests::person::password("ann"));
    let ran = machine.run_with(&args, &secret).ended(3);
    ran.said("speaks no TLS")
        .said(&format!("write http://{address}"));
}

#[test]
fn who_is_not_let_in_is_told_what_to_do() {
    let server = Server::sqlite();
    for name in ["ann", "bob"] {
        server.sign_up(name);
    }
    let [ann, bob] = ["ann", "bob"].map(|name| Machine::of(&server, name));
    let ran = ann.run(&["send", "bob", "hi"]).ended(1);
    ran.said("myim contacts add NAME");
    let mut command = ann.command(&["whoami"]);
    command.env("MYIM_TOKEN", "v1.worthless");
    command.env("MYIM_SERVER", &ann.server);
    let ran = super::run(command, "").ended(4);
    ran.said("myim login SERVER USER");
    // That it was locked is told to its owner, also where he is connected.
    let tail = bob.start(&["tail"]);
    let phone = server.sign_in("bob", "phone");
    phone.say(&phone.direct(&phone.user_id), "c1", "a note");
    assert!(tail.prints_within("a note", super::PATIENCE));
    server.admin(&["user", "disable", "bob"]).ok();
    let ran = bob.run(&["send", "bob", "hi", "--json"]).ended(4);
    assert_eq!(ran.error(), "unauthenticated");
    let ran = ran.said("An administrator locked this account");
    assert!(!ran.err.contains("myim login"), "{}", ran.err);
    assert_eq!(tail.wait(super::PATIENCE).code(), Some(4));
    let told = "an administrator locked this account: ask whoever runs the server";
    assert!(tail.log().contains(told), "{}", tail.log());
    // The file server answers, but not to this.
    let file_server = format!("http://{}", server.file);
    for verb in ["register", "login"] {
        let args = [verb, &file_server, "zed", "--password-file", "-"];
        let ran = ann.run_with(&args, "a long secret\n").ended(1);
        ran.said("this is not the port of a chat server, which is usually 20000");
    }
    // A wrong password is no reason to sign in.
    let args = ["login", &ann.server, "ann", "--password-file", "-"];
    let ran = ann.run_with(&args, "not it\n").ended(1);
    assert!(!ran.err.contains("myim login"), "{}", ran.err);
}

#[test]
fn a_send_that_fails_says_what_is_certain() {
    let mut server = Server::sqlite();
    let id = server.sign_up("ann");
    let ann = Machine::of(&server, "ann");
    let notes = ann.json(&["send", "ann", "a note to myself"])["conversation"].clone();
    let notes = notes.as_str().unwrap().to_owned();
    server.stop();
    // Nobody listens: it never left this machine.
    let send = ["send", &notes, "hi", "--timeout", "400ms"];
    ann.run(&send)
        .ended(3)
        .said("nothing was stored, that is certain");
    // Somebody listens and never answers: who knows.
    let silent = TcpListener::bind(server.chat).unwrap();
    let ran = ann
        .run(&[&send[..], &["--client-id", "mine"]].concat())
        .ended(3);
    let ran = ran.said("not certain").said("--client-id mine");
    assert!(!ran.err.contains("that is certain"), "{}", ran.err);
    drop(silent);
    // And then it is sent again under the same name, once.
    server.again();
    let again = ["send", &notes, "hi", "--client-id", "mine"];
    let first = ann.run(&again).done().out;
    assert_eq!(ann.run(&again).done().out, first);
    assert_eq!(first, format!("{notes} 2\n"));
    assert_eq!(ann.json(&["whoami"])["user"]["id"], *id);
}

#[test]
fn a_send_waits_for_a_server_that_comes_back() {
    let mut server = Server::sqlite();
    server.sign_up("ann");
    let ann = Machine::of(&server, "ann");
    let notes = ann.json(&["send", "ann", "one"])["conversation"].clone();
    let notes = notes.as_str().unwrap().to_owned();
    server.stop();
    let sending = ann.start(&["send", &notes, "two", "--timeout", "60s"]);
    server.again();
    assert!(sending.wait(super::PATIENCE).success(), "{}", sending.log());
    assert_eq!(sending.output(), format!("{notes} 2\n"));
}

#[test]
fn help_tells_the_exit_codes() {
    let server = Server::sqlite();
    let machine = Machine::new(&server);
    for verb in [
        "register",
        "login",
        "logout",
        "whoami",
        "send",
        "tail",
        "history",
        "conversations",
        "search",
        "contacts",
        "groups",
        "upload",
        "download",
        "bot",
        "webhook",
    ] {
        let ran = machine.run(&[verb, "--help"]).done();
        assert!(
            ran.out.contains("Exit codes: 0 done"),
            "{verb}: {}",
            ran.out
        );
    }
}
