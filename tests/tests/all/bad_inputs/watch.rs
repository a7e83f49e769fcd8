//! An eye on a server that is treated badly: it lives, keeps its memory, never panics, and goes on
//! serving whoever was connected before.

use myim_tests::api_person::Device;
use myim_tests::person::Person;
use myim_tests::server::Server;
use myim_tests::transfer::{Transfer, md5_name};
use myim_tests::wire::Flavor;
use serde_json::json;

/// By how much a program may grow, whatever it is sent.
const GROWTH_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// See the module's description.
#[derive(Debug)]
pub(crate) struct Watch<'s> {
    server: &'s Server,
    /// What each program held at the beginning.
    resident: Vec<u64>,
    listener: Device,
    old: Person,
    transfers: [Transfer; 2],
    logged: usize,
}

impl<'s> Watch<'s> {
    /// Connects to everything; what is looked at is compared with now.
    pub(crate) fn new(server: &'s Server) -> Self {
        let listener = server.newcomer("listener").connect();
        let old = server.join("old", Flavor::Pc);
        let transfers = [server.file, server.image].map(|port| Transfer::connect(port, Flavor::Pc));
        let mut watch = Self {
            server,
            resident: Vec::new(),
            listener,
            old,
            transfers,
            logged: 0,
        };
        watch.others_are_served();
        watch.resident = watch.resident_now();
        watch
    }

    /// Whatever `row` did, the server held.
    pub(crate) fn held(&mut self, row: &str) {
        for program in self.server.programs() {
            assert!(program.is_running(), "{row}\n{}", program.story());
        }
        self.others_are_served();
        for (before, now) in self.resident.iter().zip(self.resident_now()) {
            let grown = now.saturating_sub(*before);
            assert!(grown <= GROWTH_BYTES_MAX, "{row}: {grown} bytes more");
        }
        let log: String = self.server.programs().iter().map(|one| one.log()).collect();
        let new = log.get(self.logged..).unwrap_or_default();
        assert!(!new.contains("panicked"), "{row}\n{new}");
        self.logged = log.len();
    }

    fn others_are_served(&mut self) {
        // Pings have a limit of their own.
        let status = json!({"status": "online"});
        self.listener.ok("presence.set", status);
        self.old.barrier();
        for transfer in &mut self.transfers {
            assert_eq!(transfer.download(&md5_name(b"nobody has this")), None);
        }
    }

    fn resident_now(&self) -> Vec<u64> {
        let programs = self.server.programs().iter();
        programs.map(|program| program.resident_bytes()).collect()
    }
}
