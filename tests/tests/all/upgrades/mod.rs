//! Upgrade packages of clients: published by the real command line, offered by the file server, to
//! programs over HTTP and to existing Windows clients by their own protocol.

use std::fs;

use myim_tests::admin::Told;
use myim_tests::api_person::ApiPerson;
use myim_tests::http;
use myim_tests::server::Server;
use myim_tests::transfer::content;
use serde_json::Value;

mod offers;
mod old_clients;
mod publishing;

pub(crate) use publishing::signed_text;

/// Somebody who publishes packages on a server.
struct Publisher<'a> {
    server: &'a Server,
    root: ApiPerson,
    /// The public half of the key.
    key: String,
}

impl<'a> Publisher<'a> {
    fn new(server: &'a Server) -> Self {
        let root = server.administrator("root");
        let key = server.upgrade_as_operator(&["key"]).ok();
        Self {
            server,
            root,
            key: key.trim().to_owned(),
        }
    }

    fn token(&self) -> &str {
        self.root.api.token.as_deref().unwrap()
    }

    fn run(&self, args: &[&str]) -> Told {
        self.server.upgrade(self.token(), args)
    }

    /// Publishes a package of this content for platform windows.
    fn publish(&self, version: &str, package: &[u8], more: &[&str]) -> Told {
        let file = format!("Setup-{version}.zip");
        fs::write(self.server.setup().directory().join(&file), package).unwrap();
        let mut args = vec!["publish", "--json", "--platform", "windows"];
        args.extend(["--version", version]);
        args.extend(more);
        args.push(&file);
        self.run(&args)
    }

    /// What a device that has this version is offered; `None` for nothing.
    fn offer(&self, from: &str, id: &str) -> Option<Value> {
        latest(self.server, &format!("from={from}&id={id}"))
    }
}

/// The manifest of platform windows, channel stable.
pub(crate) fn latest(server: &Server, query: &str) -> Option<Value> {
    let target = format!("/upgrade/windows/stable/latest.json?{query}");
    let answer = http::get(server.file, &target);
    match answer.status {
        200 => Some(answer.json()),
        204 => None,
        _ => panic!("{answer:?}"),
    }
}

/// Something that begins like a zip file.
pub(crate) fn zip(length: usize, seed: u64) -> Vec<u8> {
    [&b"PK\x03\x04"[..], &content(length, seed)].concat()
}
