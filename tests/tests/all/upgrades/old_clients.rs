//! What existing Windows clients find when they look for upgrades before they log in.

use std::fs;

use myim_tests::server::Server;
use myim_tests::transfer::Transfer;
use myim_tests::wire::Flavor;

use super::{Publisher, zip};

tests! {
    sqlite: an_old_client_upgrades_itself, what_was_put_there_by_hand_goes_first,
        old_clients_compare_letters, an_old_client_is_one_of_a_hundred;
    mariadb: an_old_client_upgrades_itself,
}

const OLD: [&str; 2] = ["--old-name", "Flamingo"];

fn finds(server: &Server, name: &str) -> Option<Vec<u8>> {
    Transfer::connect(server.file, Flavor::Pc).download(name)
}

fn reads(server: &Server, name: &str) -> Option<String> {
    finds(server, name).map(|text| String::from_utf8(text).unwrap())
}

fn an_old_client_upgrades_itself(server: &mut Server) {
    let publisher = Publisher::new(server);
    let names = ["update2.version", "update.version", "Flamingo.zip"];
    let nothing = || names.iter().all(|name| finds(server, name).is_none());
    assert!(nothing());
    // Longer than a chunk.
    let package = zip(1_200_000, 5);
    let not_for_old = publisher.publish("1.0.0", &package, &[]);
    not_for_old.ok();
    assert!(nothing(), "only what is meant for them");
    let notes = ["--notes", "\n更快 <b>|</b>\nmore"];
    let more = [&OLD[..], &notes].concat();
    publisher.publish("1.0.1", &package, &more).ok();
    // One connection, as the client has it.
    let mut pc = Transfer::connect(server.file, Flavor::Pc);
    let mut text = |name| String::from_utf8(pc.download(name).unwrap()).unwrap();
    let (baseline, newest) = (text("update2.version"), text("update.version"));
    assert_eq!(baseline, "0\r\n<1>更快  b   /b |Flamingo|0</1>\r\n");
    assert_eq!(newest, "1.0.1\r\n<1>更快  b   /b |Flamingo|1.0.1</1>\r\n");
    assert!(newest > baseline, "so that the client takes it for newer");
    assert!(
        pc.download("Flamingo.zip") == Some(package.clone()),
        "every byte"
    );
    assert_eq!(pc.download("Other.zip"), None);
    let mut picture = Transfer::connect(server.image, Flavor::Pc);
    assert_eq!(picture.download("update.version"), None);

    let newer = zip(70_000, 6);
    publisher.publish("1.0.2", &newer, &OLD).ok();
    assert_eq!(finds(server, "Flamingo.zip"), Some(newer));
    publisher.run(&["roll-back", "--platform", "windows"]).ok();
    assert_eq!(finds(server, "Flamingo.zip"), Some(package));
    assert!(
        reads(server, "update.version")
            .unwrap()
            .starts_with("1.0.1\r\n")
    );
}

fn what_was_put_there_by_hand_goes_first(server: &mut Server) {
    let publisher = Publisher::new(server);
    publisher.publish("1.0.1", &zip(10, 5), &OLD).ok();
    let by_hand = "0.5.0\r\n<1>Main program|Hand|0.5.0</1>\r\n";
    let place = server.setup().filecache().join("update.version");
    fs::write(&place, by_hand).unwrap();
    assert_eq!(reads(server, "update.version").as_deref(), Some(by_hand));
    fs::remove_file(place).unwrap();
    assert!(
        reads(server, "update.version")
            .unwrap()
            .starts_with("1.0.1")
    );
}

fn old_clients_compare_letters(server: &mut Server) {
    let publisher = Publisher::new(server);
    let package = zip(10, 5);
    publisher.publish("1.9.0", &package, &OLD).ok();
    publisher
        .publish("1.10.0", &package, &OLD)
        .fails(1, "number it 2.0.0, or leave --old-name out");
    publisher.publish("1.10.0", &package, &[]).ok();
    // The new clients have that one, the old ones go on with 1.9.0.
    assert_eq!(publisher.offer("1.9.0", "a").unwrap()["version"], "1.10.0");
    assert!(
        reads(server, "update.version")
            .unwrap()
            .starts_with("1.9.0")
    );
    publisher.publish("2.0.0", &package, &OLD).ok();
    assert!(
        reads(server, "update.version")
            .unwrap()
            .starts_with("2.0.0")
    );
    let text = publisher.publish("2.1.0", b"no zip file", &OLD);
    text.fails(2, "no zip file");
    let beta = [&OLD[..], &["--channel", "beta"]].concat();
    publisher
        .publish("2.1.0", &package, &beta)
        .fails(2, "--channel stable");
}

fn an_old_client_is_one_of_a_hundred(server: &mut Server) {
    let publisher = Publisher::new(server);
    publisher.publish("1.0.0", &zip(10, 5), &OLD).ok();
    let staged = [&OLD[..], &["--percent", "0"]].concat();
    publisher.publish("1.0.1", &zip(10, 6), &staged).ok();
    assert!(
        reads(server, "update.version")
            .unwrap()
            .starts_with("1.0.0")
    );
    let percent = ["percent", "--platform", "windows", "100"];
    publisher.run(&percent).ok();
    assert!(
        reads(server, "update.version")
            .unwrap()
            .starts_with("1.0.1")
    );
    assert_eq!(finds(server, "Flamingo.zip"), Some(zip(10, 6)));
}
