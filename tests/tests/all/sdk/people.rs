//! People on the SDK who go on writing while something fails under them: nothing is lost or doubled.

use std::time::Duration;

use myim_tests::api_person::ApiPerson;
use myim_tests::process::Process;
use myim_tests::sdk_person::{Part, Report, read_report};
use myim_tests::server::Server;

use super::journal::{Journal, Life};
use super::run::{conversations_of, histories, parts, start};

/// How long anything may take on a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(100);

/// Somebody and his program, which lives until all is over.
pub(super) struct One {
    person: ApiPerson,
    part: Part,
    process: Process,
}

impl One {
    fn count(&self, what: fn(&Report) -> bool) -> usize {
        let reports = read_report(&self.process.output());
        reports.iter().filter(|report| what(report)).count()
    }
}

/// People who write to each other, and those who are there.
pub(super) struct People {
    pub(super) all: Vec<One>,
    conversations: Vec<String>,
}

impl People {
    /// Each of them begins to write so many messages.
    pub(super) fn start(server: &Server, seed: u64, messages: u64) -> Self {
        let (parts, conversations) = parts(server, seed, messages);
        let people = parts.into_iter().map(|(person, part)| One {
            process: start(&part),
            person,
            part,
        });
        Self {
            all: people.collect(),
            conversations,
        }
    }

    /// Waits until each of them has reported so many more of these, or has nothing more to send.
    pub(super) fn report(&self, more: usize, what: fn(&Report) -> bool) {
        let now = self.all.iter().map(|one| one.count(what) + more);
        let wanted: Vec<_> = now.collect();
        for (one, wanted) in self.all.iter().zip(wanted) {
            let enough = |output: &str| {
                let reports = read_report(output);
                let count = reports.iter().filter(|report| what(report)).count();
                count >= wanted || reports.iter().any(drained)
            };
            let is_so = one.process.output_becomes(PATIENCE, enough);
            let name = &one.person.name;
            assert!(is_so, "{name} does not get so far\n{}", one.process.story());
        }
    }

    /// Everything works again: waits until nothing is to be sent, and ends; what must be true then.
    pub(super) fn end(self) {
        self.report(1, drained);
        let readers: Vec<_> = self.all.iter().map(|one| &one.person).collect();
        let histories = histories(&readers, &self.conversations);
        for One {
            person,
            part,
            process,
        } in &self.all
        {
            let own = conversations_of(person);
            let wanted = Journal::wanted(&histories, &person.user_id, &own);
            let has_all = |output: &str| Journal::confirms(&read_report(output), &[], &wanted);
            let caught_up = process.output_becomes(PATIENCE, has_all);
            assert!(
                caught_up,
                "{} misses something\n{}",
                person.name,
                process.story()
            );
            assert!(process.stop().success(), "{}", process.story());
            let lives = [Life(read_report(&process.output()))];
            let journal = Journal::new(part, &person.user_id, &lives);
            if let Err(why) = journal.agrees_with(&histories) {
                panic!("{}: {why}", person.name);
            }
            let seen = journal.seen();
            assert_eq!(seen.accepted, usize::try_from(part.last).unwrap());
        }
    }
}

pub(super) fn accepted(report: &Report) -> bool {
    matches!(report, Report::Accepted { .. })
}

pub(super) fn sent(report: &Report) -> bool {
    matches!(report, Report::Sent { .. })
}

pub(super) fn waiting(report: &Report) -> bool {
    matches!(report, Report::Waiting(_))
}

fn drained(report: &Report) -> bool {
    matches!(report, Report::Drained { .. })
}
