//! Two people at terminals and one with an existing client hold a conversation.

use myim_tests::server::Server;
use myim_tests::wire::Flavor;

use super::{CTRL_C, CTRL_N, CTRL_O, Desk, ENTER, ESC, UP, friends, go_to};

#[test]
fn on_a_small_screen() {
    converse((80, 24));
}

#[test]
fn on_a_large_screen() {
    converse((200, 60));
}

#[test]
fn a_stranger_is_asked_and_can_be_written_to_when_the_answer_is_yes() {
    let server = Server::sqlite();
    server.sign_up("eve");
    let ann = server.newcomer("ann");
    let desk = Desk::of(&server, "eve");
    let mut eve = desk.chat((80, 24));
    eve.sees("No conversations yet.");
    eve.types("hello");
    eve.sees("nobody to write to yet");
    eve.types(CTRL_N);
    eve.sees("New conversation");
    eve.types("ann");
    eve.sees("@ann");
    eve.types(ENTER);
    eve.sees("to be a contact");
    eve.types("it is eve\r");
    eve.sees("was asked");
    let requests = ann.get("/contacts/requests").ok(200);
    let request = &requests["items"][0];
    assert_eq!(request["note"], "it is eve");
    ann.accept_friend(request["id"].as_str().unwrap());
    eve.sees("accepted your request");
    eve.types("hello ann\r");
    eve.sees_in_a_line("hello ann", "✓");
}

fn converse(size: (u16, u16)) {
    let mut server = Server::sqlite();
    let mut cid = server.join("cid", Flavor::Pc);
    let (ann, bob) = friends(&server);
    let cids = server.sign_in("cid", "laptop");
    ann.befriend(&cids);
    ann.direct(&cids.user_id);
    cid.forget();
    let (anns, bobs) = (Desk::of(&server, "ann"), Desk::of(&server, "bob"));
    let (mut a, mut b) = (anns.chat(size), bobs.chat(size));

    // Presence, texts, receipts, typing.
    go_to(&mut a, "bob");
    go_to(&mut b, "ann");
    a.sees("● online");
    a.types("hello from ann\r");
    b.sees("hello from ann");
    a.sees_in_a_line("hello from ann", "✓✓");
    b.types("你好");
    a.sees("bob is typing");
    b.types(ENTER);
    a.sees("你好");
    a.sees_no_longer("bob is typing");

    // A file: the other one is told of it, with its size.
    std::fs::write(anns.path().join("report.txt"), "x".repeat(12_345)).unwrap();
    a.types(CTRL_O);
    a.sees("Send a file");
    // A name that is none can be mended.
    a.types("rep\r");
    a.sees("No such file");
    a.sees("> rep");
    a.types("\t");
    a.sees("> report.txt");
    a.types(ENTER);
    b.sees("report.txt · 12 KB");
    // And saves it.
    b.types(UP);
    b.sees("s save");
    b.types("s");
    b.sees("Save as");
    b.types(ENTER);
    b.sees("Saved: report.txt");
    let saved = std::fs::read(bobs.path().join("report.txt")).unwrap();
    assert!(saved == "x".repeat(12_345).as_bytes());
    b.types(ESC);
    b.sees("F1 help");

    // The existing client.
    go_to(&mut a, "cid");
    a.types("hi cid\r");
    cid.hears(&["hi cid"]);
    cid.say(ann.number(), "hi from the old client");
    a.sees("hi from the old client");

    // The server is away for a while: what is written waits, and comes.
    go_to(&mut a, "bob");
    server.stop();
    a.sees("offline");
    a.types("written without a server\r");
    a.sees_in_a_line("written without a server", "…");
    server.again();
    b.sees("written without a server");
    a.sees_in_a_line("written without a server", "✓✓");

    // Another size.
    for other in [(100, 30), (44, 14), (20, 5), size] {
        a.resize(other);
        let there = if other == (20, 5) {
            "too s"
        } else {
            "written without"
        };
        a.sees(there);
    }

    for terminal in [&mut a, &mut b] {
        terminal.types(CTRL_C);
        assert!(terminal.ends().success());
        terminal.is_restored();
    }
    drop(bob);
}
