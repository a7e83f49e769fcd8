//! An eye on a server that is treated badly: it lives, keeps its memory, its descriptors and its disk,
//! never panics, and goes on serving whoever was connected before.

use std::thread;
use std::time::Instant;

use myim_tests::api_person::Device;
use myim_tests::files::bytes_below;
use myim_tests::peer::PATIENCE;
use myim_tests::person::Person;
use myim_tests::server::Server;
use myim_tests::transfer::{Transfer, md5_name};
use myim_tests::wire::Flavor;
use serde_json::json;

/// By how much a program may grow, whatever it is sent.
const GROWTH_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// How many more descriptors it may have when those who treated it badly are gone: connections to
/// its database are opened when somebody needs them.
const GROWTH_DESCRIPTORS_MAX: usize = 24;
/// By how much everything on the disk may grow: the database's log is put into the database whenever
/// it has 4 MB.
const GROWTH_DISK_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// See the module's description.
#[derive(Debug)]
pub(crate) struct Watch<'s> {
    server: &'s Server,
    /// What each program held at the beginning.
    resident: Vec<u64>,
    descriptors: Vec<usize>,
    disk_bytes: u64,
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
            descriptors: Vec::new(),
            disk_bytes: 0,
            listener,
            old,
            transfers,
            logged: 0,
        };
        watch.others_are_served();
        watch.resident = watch.resident_now();
        watch.descriptors = watch.descriptors_now();
        watch.disk_bytes = bytes_below(server.setup().directory());
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
        self.descriptors_are_closed(row);
        let written = bytes_below(self.server.setup().directory());
        let grown = written.saturating_sub(self.disk_bytes);
        assert!(
            grown <= GROWTH_DISK_BYTES_MAX,
            "{row}: {grown} bytes more on the disk"
        );
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

    /// Waits until it has closed what it had open for whoever is gone.
    fn descriptors_are_closed(&self, row: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let now = self.descriptors_now();
            let mut both = self.descriptors.iter().zip(&now);
            if both.all(|(before, now)| *now <= before + GROWTH_DESCRIPTORS_MAX) {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "{row}: {now:?} descriptors, and before {:?}",
                self.descriptors
            );
            thread::yield_now();
        }
    }

    fn descriptors_now(&self) -> Vec<usize> {
        let programs = self.server.programs().iter();
        programs.map(|program| program.descriptors()).collect()
    }

    fn resident_now(&self) -> Vec<u64> {
        let programs = self.server.programs().iter();
        programs.map(|program| program.resident_bytes()).collect()
    }
}
