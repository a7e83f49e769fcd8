//! A storm: people of both protocols on a real server, which is struck again and again by whatever
//! the caller chooses; then everything heals, and the whole history is there to be judged.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use super::check::{Violation, check};
use super::dump;
use super::history::Event;
use super::people::callers::{Poster, change_members, upload};
use super::people::old_talker::{Address, OldTalker};
use super::people::talker::Talker;
use super::people::{Act, Stage};
use super::recorder::Recorder;
use crate::api_person::ApiPerson;
use crate::dice::Dice;
use crate::peer::PATIENCE;
use crate::process::Process;
use crate::server::{Server, Setup};

/// The least and the most that happens between a start and the next strike.
const EVENTS: (u64, u64) = (40, 900);

/// How many upload at a time.
const UPLOADERS: u64 = 3;

/// What the strikes do to the server, and so what people may notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Struck {
    /// It is dead, and is started again: it may have forgotten what was confirmed last.
    Dead,
    /// It has ended in order, and is started again: it forgets nothing.
    Stopped,
    /// It lives on, and what it stands on has failed: commits may fail, and confirmations be lost.
    Undermined,
    /// It lives on and was only held up: nothing fails, and nothing is forgotten.
    HeldUp,
}

impl Struck {
    fn ends(self) -> bool {
        matches!(self, Self::Dead | Self::Stopped)
    }

    fn forgets(self) -> bool {
        matches!(self, Self::Dead | Self::Undermined)
    }
}

/// What is played.
#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    pub strikes: u64,
    /// How the strikes are called in the history.
    pub fault: String,
    pub struck: Struck,
    /// Ends with a strike from which the server does not come back: what its disk has is judged.
    pub ends_struck: bool,
    /// Where to write the history, besides judging it.
    pub file: Option<PathBuf>,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    pub history: Vec<Event>,
    pub violations: Vec<Violation>,
    pub acknowledged: u64,
    pub strikes: u64,
    /// From each start after a strike until something was acknowledged.
    pub recoveries: Vec<Duration>,
}

impl Outcome {
    /// A line of figures.
    pub fn figures(&self) -> String {
        let mut recoveries = self.recoveries.clone();
        recoveries.sort();
        let of = |at: usize| recoveries.get(at).copied().unwrap_or_default().as_millis();
        format!(
            "{} acknowledged, {} strikes, {} events, {} violations; start to first \
             acknowledgment: median {} ms, longest {} ms",
            self.acknowledged,
            self.strikes,
            self.history.len(),
            self.violations.len(),
            of(recoveries.len() / 2),
            of(recoveries.len().saturating_sub(1)),
        )
    }
}

/// The settings that a storm needs: nobody is told to slow down, or that the disk is too small.
pub fn unhurried(setup: Setup) -> Setup {
    setup
        .open()
        .chat_flag("--rate-sends-per-s", "0")
        .chat_flag("--rate-writes-per-s", "0")
        .chat_flag("--rate-reads-per-s", "0")
        .transfer_flag("--upload-day-bytes-max", "1TiB")
        // The disks whose power is cut are small.
        .transfer_flag("--disk-free-bytes-min", "0")
}

struct Cast {
    ann: ApiPerson,
    bob: ApiPerson,
    dora: ApiPerson,
    group: String,
    choir: String,
    direct: String,
    old: Vec<Address>,
    old_number: i32,
    pairs: BTreeMap<String, [String; 2]>,
}

fn cast(server: &Server) -> Cast {
    let people = ["ann", "bob", "cid", "dora"].map(|name| server.newcomer(name));
    let [ann, bob, cid, dora] = people;
    for other in [&bob, &cid, &dora] {
        ann.befriend(other);
    }
    let direct = ann.direct(&bob.user_id);
    let with_cid = ann.direct(&cid.user_id);
    let group = ann.create_group_with_members("Choir", &[&bob, &cid, &dora]);
    let choir = ann.of_group(&group);
    let address = |target: i32, conversation: &str| Address {
        target,
        conversation: conversation.to_owned(),
    };
    let group_number = group.parse().expect("a group's number");
    let pair = |other: &ApiPerson| [ann.user_id.clone(), other.user_id.clone()];
    Cast {
        old: vec![
            address(ann.number(), &with_cid),
            address(group_number, &choir),
        ],
        old_number: cid.number(),
        pairs: [(direct.clone(), pair(&bob)), (with_cid, pair(&cid))].into(),
        ann,
        bob,
        dora,
        group,
        choir,
        direct,
    }
}

/// Plays. `strike` leaves the server as the plan says, and whatever it stands on ready.
///
/// # Errors
/// When the history cannot be written, or the disk not be read in the end.
pub fn play(
    mut server: Server,
    plan: &Plan,
    strike: &mut dyn FnMut(&Server) -> io::Result<()>,
) -> io::Result<Outcome> {
    let recorder = Recorder::new(plan.file.as_deref())?;
    let store = match server.setup().database() {
        Some(_) => "MariaDB",
        None => "SQLite",
    };
    recorder.note(Event::Run {
        seed: plan.seed,
        store: store.to_owned(),
        fault: plan.fault.clone(),
    });
    let cast = cast(&server);
    let mut stage = Stage::new(server.chat, server.file, recorder, plan.seed);
    if plan.struck == Struck::Undermined {
        // Of two that are under way the second may be stored although the first could not be.
        stage.window_max = 1;
    }
    let mut recoveries = Vec::new();
    thread::scope(|scope| {
        let _curtain = Curtain(&stage);
        enter(&stage, &server, &cast, scope);
        let led = lead(&stage, &mut server, plan, strike, &mut recoveries);
        if led.is_err() || plan.ends_struck {
            stage.goes_to(Act::Abandoned);
            return led;
        }
        stage.goes_to(Act::Heal);
        let all_done = stage.all_done(PATIENCE * 2);
        if !all_done {
            eprintln!("somebody was never answered; what he missed is in the history");
        }
        stage.goes_to(Act::End(last_words(&stage, &server, &cast)));
        Ok(())
    })?;
    if server.programs().iter().all(Process::is_running) {
        server.stop();
    }
    let rows = match server.setup().database() {
        Some(database) => dump::of_mariadb(database),
        None => dump::of_sqlite(&server.setup().data_dir().join("myim.db")),
    };
    let recorder = stage.recorder;
    let acknowledged = recorder.acknowledged();
    for event in dump::events(&rows, &cast.pairs) {
        recorder.note(event);
    }
    for event in dump::files(&server.setup().filecache())? {
        recorder.note(event);
    }
    let history = recorder.finish()?;
    let violations = check(&history);
    Ok(Outcome {
        violations,
        acknowledged,
        strikes: plan.strikes + u64::from(plan.ends_struck),
        recoveries,
        history,
    })
}

/// Falls when the play fails: nobody goes on without a server.
struct Curtain<'s>(&'s Stage);

impl Drop for Curtain<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.goes_to(Act::Abandoned);
        }
    }
}

/// Lets everybody begin.
fn enter<'s, 'e: 's>(
    stage: &'e Stage,
    server: &Server,
    cast: &'e Cast,
    scope: &'s thread::Scope<'s, 'e>,
) {
    let Cast {
        ann,
        bob,
        dora,
        choir,
        direct,
        ..
    } = cast;
    let device = |device: &str, user: &ApiPerson, acknowledges| {
        let (device, user) = (device.to_owned(), user.user_id.clone());
        stage.recorder.note(Event::Device {
            device,
            user,
            acknowledges,
        });
    };
    let with_cid = &cast.old[0].conversation;
    for (name, user) in [
        ("ann/laptop", ann),
        ("bob/phone", bob),
        ("dora/laptop", dora),
    ] {
        device(name, user, true);
    }
    let laptop = Talker::new(stage, "ann/laptop", &ann.token, 1)
        .writes_in(&[choir, direct, with_cid])
        .listens_to(&[choir, direct, with_cid]);
    scope.spawn(move || laptop.run());
    let phone = Talker::new(stage, "bob/phone", &bob.token, 2)
        .writes_in(&[choir, direct])
        .listens_to(&[choir, direct]);
    scope.spawn(move || phone.run());
    let doras = Talker::new(stage, "dora/laptop", &dora.token, 3)
        .writes_in(&[choir])
        .listens_to(&[choir]);
    scope.spawn(move || doras.run());
    let tablet = server.sign_in("bob", "tablet");
    device("bob/tablet", bob, true);
    let tablet = Talker::new(stage, "bob/tablet", &tablet.token, 4)
        .listens_to(&[choir, direct])
        .tears();
    scope.spawn(move || tablet.run());
    stage.recorder.note(Event::Device {
        device: "cid/pc".to_owned(),
        user: cast.old_number.to_string(),
        acknowledges: false,
    });
    let old = OldTalker::new(stage, "cid", cast.old_number, cast.old.clone());
    scope.spawn(move || old.run());
    let poster = server.sign_in("bob", "script");
    device("bob/script", bob, true);
    stage.is_busy();
    scope.spawn(move || Poster::new(stage, "bob/script", &poster.token).run(direct));
    for number in 0..UPLOADERS {
        stage.is_busy();
        scope.spawn(move || upload(stage, &ann.token, number));
    }
    stage.is_busy();
    scope.spawn(|| change_members(stage, &ann.token, &cast.group, &dora.user_id));
}

/// Strikes, and starts the server again if it has ended.
fn lead(
    stage: &Stage,
    server: &mut Server,
    plan: &Plan,
    strike: &mut dyn FnMut(&Server) -> io::Result<()>,
    recoveries: &mut Vec<Duration>,
) -> io::Result<()> {
    let mut dice = Dice::new(plan.seed, 0);
    let mut wait = || {
        let events = usize::try_from(dice.from(EVENTS.0, EVENTS.1)).unwrap_or(1);
        if stage.recorder.grows_by(events, PATIENCE) {
            Ok(())
        } else {
            Err(io::Error::other("nothing happens any more"))
        }
    };
    for _ in 0..plan.strikes {
        wait()?;
        if plan.struck == Struck::Undermined {
            // What is confirmed from here on may be forgotten, as it may before a kill.
            stage.next_life();
        }
        struck(stage, server, plan, strike)?;
        let life = if plan.struck.forgets() {
            stage.next_life()
        } else {
            stage.life()
        };
        let (began, before) = (Instant::now(), stage.recorder.acknowledged());
        if plan.struck.ends() {
            server.again();
        } else if !server.programs().iter().all(Process::is_running) {
            return Err(io::Error::other("the server ended too"));
        }
        stage.recorder.note(Event::Restarted { life });
        while stage.recorder.acknowledged() == before {
            if !stage.recorder.grows_by(1, PATIENCE) {
                return Err(io::Error::other("nothing is acknowledged after a start"));
            }
        }
        recoveries.push(began.elapsed());
        if plan.struck == Struck::Undermined {
            // And from here on nothing is forgotten any more.
            stage.next_life();
        }
    }
    wait()?;
    while stage.recorder.uploaded() == 0 {
        if !stage.recorder.grows_by(1, PATIENCE) {
            return Err(io::Error::other("no file is uploaded"));
        }
    }
    if plan.ends_struck {
        struck(stage, server, plan, strike)?;
    }
    Ok(())
}

fn struck(
    stage: &Stage,
    server: &Server,
    plan: &Plan,
    strike: &mut dyn FnMut(&Server) -> io::Result<()>,
) -> io::Result<()> {
    strike(server)?;
    let how = plan.fault.clone();
    stage.recorder.note(Event::Crashed { how });
    Ok(())
}

/// The end of every conversation, said when all others are silent.
fn last_words(stage: &Stage, server: &Server, cast: &Cast) -> BTreeMap<String, String> {
    let closer = server.sign_in("ann", "closer");
    stage.recorder.note(Event::Device {
        device: "ann/closer".to_owned(),
        user: cast.ann.user_id.clone(),
        acknowledges: true,
    });
    let mut closer = Poster::new(stage, "ann/closer", &closer.token);
    let conversations = [&cast.choir, &cast.direct, &cast.old[0].conversation];
    let words = conversations.map(|conversation| {
        let words = closer.say(conversation);
        (conversation.clone(), words.unwrap_or_default())
    });
    words.into()
}
