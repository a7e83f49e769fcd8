//! What the file server answers programs that ask whether there is something newer.

use std::collections::BTreeSet;

use myim_tests::http;
use myim_tests::server::Server;
use serde_json::json;

use super::{Publisher, latest, zip};

tests! {
    sqlite: a_package_goes_to_some_devices_first, a_package_is_rolled_back,
        an_answer_may_be_kept_and_odd_questions_are_refused;
    mariadb: a_package_is_rolled_back,
}

fn a_package_goes_to_some_devices_first(server: &mut Server) {
    let publisher = Publisher::new(server);
    publisher
        .publish("1.0.0", &zip(10, 1), &["--percent", "30"])
        .ok();
    let told = || -> BTreeSet<u32> {
        let devices = 0..1000;
        let is_told = |n: &u32| publisher.offer("0.9.0", &format!("device-{n}")).is_some();
        devices.filter(is_told).collect()
    };
    let first = told();
    assert!((250..=350).contains(&first.len()), "{}", first.len());
    assert_eq!(told(), first, "always the same ones");
    let percent = |percent| {
        let args = ["percent", "--platform", "windows", percent];
        publisher.run(&args).ok()
    };
    assert_eq!(percent("60"), "windows stable 1.0.0 is for 60% now.\n");
    let more = told();
    assert!((550..=650).contains(&more.len()), "{}", more.len());
    assert!(more.is_superset(&first));
    percent("100");
    assert_eq!(told().len(), 1000);
    percent("0");
    assert_eq!(publisher.offer("0.9.0", "device-1"), None);
    // Who has no id is told by his address: all of these come from the same one.
    assert_eq!(latest(server, "from=0.9.0"), None);
    percent("100");
    assert!(latest(server, "from=0.9.0").is_some());
}

fn a_package_is_rolled_back(server: &mut Server) {
    let publisher = Publisher::new(server);
    publisher.publish("1.0.0", &zip(10, 1), &[]).ok();
    publisher.publish("1.1.0", &zip(10, 2), &[]).ok();
    assert_eq!(publisher.offer("1.0.0", "a").unwrap()["version"], "1.1.0");
    let roll_back = ["roll-back", "--platform", "windows"];
    let told = publisher.run(&roll_back).ok();
    assert_eq!(
        told,
        "windows stable 1.1.0 is withdrawn; 1.0.0 is the newest again.\n"
    );
    let offered = publisher.offer("1.1.0", "a").unwrap();
    assert_eq!(
        (&offered["version"], &offered["rollback"]),
        (&json!("1.0.0"), &json!(true))
    );
    assert_eq!(publisher.offer("1.0.0", "a"), None);
    let new = publisher.offer("0.9.0", "a").unwrap();
    assert_eq!(
        (&new["version"], new.get("rollback")),
        (&json!("1.0.0"), None)
    );
    // A number that somebody has is not used again.
    publisher
        .publish("1.1.0", &zip(10, 3), &[])
        .fails(1, "number it higher");
    publisher.publish("1.1.1", &zip(10, 3), &[]).ok();
    let repaired = publisher.offer("1.1.0", "a").unwrap();
    assert_eq!(
        (&repaired["version"], repaired.get("rollback")),
        (&json!("1.1.1"), None)
    );
    let listed = publisher.run(&["list", "--json"]).json();
    let withdrawn: Vec<bool> = listed
        .iter()
        .map(|upgrade| !upgrade["withdrawn_at"].is_null())
        .collect();
    assert_eq!(withdrawn, [false, true, false]);
    publisher.run(&roll_back).ok();
    publisher.run(&roll_back).ok();
    publisher.run(&roll_back).fails(1, "nothing is published");
    assert_eq!(publisher.offer("0.9.0", "a"), None);
}

fn an_answer_may_be_kept_and_odd_questions_are_refused(server: &mut Server) {
    let publisher = Publisher::new(server);
    publisher.publish("1.0.0", &zip(10, 1), &[]).ok();
    let path = "/upgrade/windows/stable/latest.json";
    let answer = http::get(server.file, &format!("{path}?from=0.1.0&id=a"));
    let head = answer.head.to_lowercase();
    assert!(
        head.contains("cache-control: private, max-age=60"),
        "{head}"
    );
    let tag = head.lines().find_map(|line| line.strip_prefix("etag: "));
    let tag = tag.unwrap().to_owned();
    let again = |tag: &str| {
        use std::io::Write as _;
        let mut stream = http::connect(server.file);
        let request = http::request(&format!("{path}?from=0.1.0&id=a"));
        let request = request.replacen("\r\n", &format!("\r\nIf-None-Match: {tag}\r\n"), 1);
        stream.write_all(request.as_bytes()).unwrap();
        http::answer(stream).status
    };
    assert_eq!((again(&tag), again("\"x\"")), (304, 200));
    let long = "a".repeat(129);
    for (query, words) in [
        ("", "`from` is missing"),
        ("?from=", "`from`"),
        ("?from=1.0", "1.2.3"),
        ("?from=1.0.0&id=", "`id`"),
        (&format!("?from=1.0.0&id={long}"), "`id`"),
    ] {
        let answer = http::get(server.file, &format!("{path}{query}"));
        assert_eq!(answer.status, 400, "{query}: {answer:?}");
        let detail = answer.json()["detail"].to_string();
        assert!(detail.contains(words), "{query}: {detail}");
    }
    for nothing in [
        "linux/stable",
        "windows/beta",
        "windows/%E6%97%A5",
        "..%2f/x",
    ] {
        let target = format!("/upgrade/{nothing}/latest.json?from=0.1.0");
        assert_eq!(http::get(server.file, &target).status, 204, "{nothing}");
    }
    // Pictures have no packages.
    let answer = http::get(server.image, &format!("{path}?from=0.1.0"));
    assert_eq!(answer.status, 404);
}
