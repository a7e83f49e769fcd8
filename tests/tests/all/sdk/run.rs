//! One seed: a server, four people on proxies, crashes of everybody, and what must be true then.

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use client::Target;
use client::model::{ConversationId, GroupId, UserId};
use myim_tests::api_person::{ApiPerson, text};
use myim_tests::dice::Dice;
use myim_tests::fault_proxy::FaultProxy;
use myim_tests::process::{self, Process};
use myim_tests::sdk_person::{Death, Part, Point, Report, read_report};
use myim_tests::server::{Db, Kind, Server, Setup};
use myim_tests::tls::Tunnel;
use serde_json::Value;

use super::journal::{Journal, Life};

const PEOPLE: [&str; 4] = ["ann", "bob", "cid", "dan"];
/// How many messages each of them sends.
const MESSAGES: u64 = 90;
/// How often each of them is killed.
const DEATHS: u64 = 3;
/// The server is killed at so many of a hundred deaths.
const SERVER_DIES_TOO: u64 = 20;
/// How long healing may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(100);

/// What happened in a run: a run in which nothing broke would prove nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    pub accepted: usize,
    pub failed: usize,
    pub delivered: usize,
    pub again: usize,
    pub connections: u64,
    pub server_crashes: usize,
    /// People whose last connection was whole.
    pub whole: usize,
    /// Encrypted connections in which a bit was flipped.
    pub damaged: u64,
}

impl Seen {
    pub(super) fn add(&mut self, other: &Self) {
        self.accepted += other.accepted;
        self.failed += other.failed;
        self.delivered += other.delivered;
        self.again += other.again;
        self.connections += other.connections;
        self.server_crashes += other.server_crashes;
        self.whole += other.whole;
        self.damaged += other.damaged;
    }

    /// Enough went wrong, and enough came through.
    pub(super) fn is_enough(&self, runs: usize) {
        eprintln!("{runs} runs: {self:?}");
        assert!(self.accepted > runs * 200, "{self:?}");
        assert!(self.delivered > runs * 300, "{self:?}");
        assert!(self.failed > 0, "{self:?}");
        assert!(runs < 8 || self.again > 0, "{self:?}");
        assert!(self.connections > 20, "{self:?}");
        assert!(runs < 8 || self.whole > 4, "{self:?}");
        assert!(runs < 8 || self.server_crashes > 3, "{self:?}");
        assert!(runs < 8 || self.damaged > 0, "{self:?}");
    }
}

/// One of the people, and everything that he reported.
struct Player {
    person: ApiPerson,
    part: Part,
    proxy: FaultProxy,
    encrypted: Option<Encrypted>,
    lives: Vec<Life>,
}

/// A way to the server behind the proxy of somebody: TLS, through one that flips bits.
struct Encrypted {
    tunnel: Tunnel,
    proxy: FaultProxy,
}

impl Encrypted {
    fn to(server: &Server, seed: u64) -> Self {
        let proxy = FaultProxy::for_tls(seed, server.chat);
        let tunnel = Tunnel::to(proxy.address());
        Self { tunnel, proxy }
    }
}

/// The last life, which nobody ends.
struct LastLife {
    player: Player,
    process: Process,
}

pub(super) fn play(db: Db, seed: u64) -> Seen {
    let server = Setup::new(Kind::Whole, db)
        .open()
        .chat_flag("--heartbeat-s", "1")
        .chat_flag("--tls-self-signed=true", "--require-tls=false")
        .start();
    if db == Db::MariaDb {
        // It takes connections before its database answers.
        server.logged("database open");
    }
    let (players, conversations) = people(&server, seed);
    let server = Mutex::new(server);
    let crashes = Mutex::new(0);
    let last: Vec<LastLife> = thread::scope(|scope| {
        let lives: Vec<_> = players
            .into_iter()
            .enumerate()
            .map(|(number, player)| {
                let (server, crashes) = (&server, &crashes);
                scope.spawn(move || live(player, number, seed, server, crashes))
            })
            .collect();
        let lives = lives.into_iter().map(|life| life.join());
        lives.map(|life| life.expect("it told why")).collect()
    });
    let server = server.into_inner().expect("nobody panicked");
    let seen = check(last, &conversations);
    let server_crashes = crashes.into_inner().expect("nobody panicked");
    drop(server);
    Seen {
        server_crashes,
        ..seen
    }
}

/// People with their proxies, and the conversations' numbers.
fn people(server: &Server, seed: u64) -> (Vec<Player>, Vec<String>) {
    let (parts, conversations) = parts(server, seed, MESSAGES);
    let players = parts
        .into_iter()
        .enumerate()
        .map(|(number, (person, mut part))| {
            // Without TLS nobody could notice that a bit was flipped.
            let encrypted = (number == 0).then(|| Encrypted::to(server, seed * 100));
            let target = encrypted.as_ref().map(|way| way.tunnel.address);
            let proxy = FaultProxy::start(part.seed, target.unwrap_or(server.chat));
            part.server = format!("http://{}", proxy.address());
            Player {
                person,
                part,
                proxy,
                encrypted,
                lives: Vec::new(),
            }
        });
    (players.collect(), conversations)
}

/// Signs everybody up, makes friends and a group; what each of them has to do, on the way straight to
/// the server, and the conversations' numbers.
pub(super) fn parts(
    server: &Server,
    seed: u64,
    messages: u64,
) -> (Vec<(ApiPerson, Part)>, Vec<String>) {
    let people: Vec<_> = PEOPLE.iter().map(|name| server.newcomer(name)).collect();
    let stranger = server.newcomer("eve");
    for (number, one) in people.iter().enumerate() {
        people[number + 1..]
            .iter()
            .for_each(|other| one.befriend(other));
    }
    let group = people[0].create_group_with_members("Choir", &[&people[1], &people[2], &people[3]]);
    let choir = people[0].of_group(&group);
    let mut conversations = vec![choir];
    let parts = people.iter().enumerate().map(|(number, person)| {
        // Everybody writes to the next one and to the one before, and to the group.
        let next = &people[(number + 1) % people.len()];
        let before = &people[(number + people.len() - 1) % people.len()];
        conversations.push(person.direct(&next.user_id));
        let user = |person: &ApiPerson| {
            Target::User(UserId::from_decimal(&person.user_id).expect("a user's number"))
        };
        let direct = person.direct(&before.user_id);
        let number = u64::try_from(number).expect("a few");
        let part = Part {
            name: person.name.clone(),
            server: format!("http://{}", server.chat),
            token: person.token.clone(),
            store: store(server, &person.name),
            targets: vec![
                user(next),
                Target::Conversation(ConversationId::from_decimal(&direct).expect("a number")),
                Target::Group(GroupId::from_decimal(&group).expect("a group's number")),
            ],
            stranger: user(&stranger),
            first: 1,
            last: messages,
            seed: seed * 100 + number,
            death: None,
        };
        (person.clone(), part)
    });
    (parts.collect(), conversations)
}

fn store(server: &Server, name: &str) -> PathBuf {
    let folder = server.setup().directory().join("clients");
    fs::create_dir_all(&folder).unwrap();
    folder.join(format!("{name}.db"))
}

pub(super) fn start(part: &Part) -> Process {
    let folder = part.store.parent().unwrap();
    let part = serde_json::to_string(part).unwrap();
    Process::spawn(process::command("sdk-person", folder).arg(part))
}

/// Lives, dies and lives again; ends when everything that was accepted is on the server.
fn live(
    mut player: Player,
    number: usize,
    seed: u64,
    server: &Mutex<Server>,
    crashes: &Mutex<usize>,
) -> LastLife {
    let mut dice = Dice::new(seed, 1_000 + u64::try_from(number).unwrap());
    for _ in 0..DEATHS {
        let points = [
            Point::Sending,
            Point::Accepted,
            Point::Sent,
            Point::Got,
            Point::Confirming,
            Point::Confirmed,
        ];
        player.part.death = Some(Death {
            point: dice.one(&points),
            count: dice.from(1, 40),
            latest_ms: dice.from(700, 3000),
        });
        let process = start(&player.part);
        let status = process.wait(PATIENCE);
        assert!(
            status.code().is_none(),
            "nobody but it kills it\n{}",
            process.story()
        );
        bury(&mut player, &process);
        if dice.percent(SERVER_DIES_TOO) {
            server.lock().unwrap().crash();
            *crashes.lock().unwrap() += 1;
        }
    }
    player.part.death = None;
    let process = start(&player.part);
    let says = |wanted: fn(&Report) -> bool| {
        process.output_becomes(PATIENCE, |output| {
            output.lines().last().is_some() && read_report(output).iter().any(wanted)
        })
    };
    let all = says(|report| *report == Report::AcceptedAll);
    assert!(all, "not everything was accepted\n{}", process.story());
    if let Some(way) = &player.encrypted {
        way.proxy.heal();
    }
    player.proxy.heal();
    let drained = says(|report| matches!(report, Report::Drained { .. }));
    assert!(
        drained,
        "something still waits to be sent\n{}\n{}",
        player.proxy.story(),
        process.story()
    );
    LastLife { player, process }
}

/// Keeps what was reported; the next life sends what this one did not begin to send.
fn bury(player: &mut Player, process: &Process) {
    let reports = read_report(&process.output());
    let begun = reports.iter().filter_map(|report| match report {
        Report::Sending { number } => Some(*number),
        _ => None,
    });
    player.part.first = begun.max().map_or(player.part.first, |number| number + 1);
    player.lives.push(Life(reports));
}

/// Everything is over and healed: what must be true now.
fn check(mut people: Vec<LastLife>, conversations: &[String]) -> Seen {
    let readers: Vec<_> = people.iter().map(|one| &one.player.person).collect();
    let histories = histories(&readers, conversations);
    for LastLife { player, process } in &people {
        let wanted = Journal::wanted(
            &histories,
            &player.person.user_id,
            &conversations_of(&player.person),
        );
        let caught_up = process.output_becomes(PATIENCE, |output| {
            Journal::confirms(&read_report(output), &player.lives, &wanted)
        });
        assert!(
            caught_up,
            "{} is not told of everything: {wanted:?}\n{}\n{}",
            player.person.name,
            player.proxy.story(),
            process.story()
        );
    }
    let mut seen = Seen::default();
    for LastLife { player, process } in &mut people {
        // On a connection that is half-open the server cannot be told what was confirmed last.
        let is_whole = player.proxy.is_whole();
        let status = process.stop();
        assert!(status.success(), "{}", process.story());
        bury(player, process);
        if is_whole {
            nothing_is_left(player, process);
            seen.whole += 1;
        }
        let overlaps = player.proxy.overlaps();
        assert!(
            overlaps.is_empty(),
            "{overlaps:?}\n{}",
            player.proxy.story()
        );
        let journal = Journal::new(&player.part, &player.person.user_id, &player.lives);
        if let Err(why) = journal.agrees_with(&histories) {
            panic!("{}: {why}\n{}", player.person.name, player.proxy.story());
        }
        seen.add(&Seen {
            connections: player.proxy.connections(),
            damaged: player
                .encrypted
                .as_ref()
                .map_or(0, |way| way.proxy.damaged()),
            ..journal.seen()
        });
    }
    seen
}

/// What the server has of these conversations, read by those who take part.
pub(super) fn histories(
    people: &[&ApiPerson],
    conversations: &[String],
) -> Vec<(String, Vec<Value>)> {
    let read = |id: &String| {
        let mut readers = people.iter();
        let reader =
            readers.find(|person| person.get(&format!("/conversations/{id}")).status == 200);
        (id.clone(), reader.expect("somebody takes part").history(id))
    };
    conversations.iter().map(read).collect()
}

/// The numbers of the conversations that somebody takes part in.
pub(super) fn conversations_of(person: &ApiPerson) -> Vec<String> {
    let all = person.conversations();
    all.iter().map(|one| text(&one["id"])).collect()
}

/// What was confirmed has reached the server when the client was closed.
fn nothing_is_left(player: &Player, process: &Process) {
    let left = player.person.get("/sync?wait=0").ok(200);
    let events = left["events"].as_array().expect("a list");
    let entries: Vec<_> = events
        .iter()
        .filter(|event| event["seq"].is_u64())
        .collect();
    assert!(
        entries.is_empty(),
        "{} confirmed everything and closed, but the server holds {} for it: {entries:?}\n{}\n{}",
        player.person.name,
        entries.len(),
        player.proxy.story(),
        process.story()
    );
}
