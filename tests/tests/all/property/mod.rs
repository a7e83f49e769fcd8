//! Random sends, edits, acknowledgements, reconnects, crashes and changes of membership by several
//! devices over both protocols: every device sees what a simple model says.
//!
//! A failure is made as short as possible and printed as a list of steps.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::Ordering;

use myim_tests::server::Server;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use proptest_state_machine::ReferenceStateMachine;

mod model;
mod players;

use model::{DEVICES, Step, World, words};
use players::Players;

/// How many steps a case has at the most.
const STEPS: usize = 40;
/// How long the search for a shorter failure may take, in milliseconds.
const SHRINK_MS: u32 = 120_000;

impl ReferenceStateMachine for World {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        Just(Self::new()).boxed()
    }

    fn transitions(world: &Self) -> BoxedStrategy<Step> {
        let device = 0..DEVICES.len();
        let entries = world.logs.iter().map(Vec::len).max().unwrap_or(0).max(1);
        let place = (device.clone(), 0..4_usize, 0..entries);
        prop_oneof![
            12 => (device.clone(), 0..4_usize).prop_map(|(device, conv)| Step::Send { device, conv }),
            2 => device.clone().prop_map(|device| Step::Repeat { device }),
            4 => place.clone().prop_map(|(device, conv, entry)| Step::Edit { device, conv, entry }),
            3 => place.prop_map(|(device, conv, entry)| Step::Recall { device, conv, entry }),
            6 => (device.clone(), 0..4_usize, 0..3_usize)
                .prop_map(|(device, conv, but)| Step::Ack { device, conv, but }),
            5 => device.clone().prop_map(|device| Step::Connect { device }),
            3 => device.prop_map(|device| Step::Disconnect { device }),
            1 => (1..3_usize).prop_map(|user| Step::Remove { user }),
            2 => (1..3_usize).prop_map(|user| Step::Add { user }),
        ]
        .boxed()
    }

    fn preconditions(world: &Self, step: &Step) -> bool {
        world.allows(step)
    }

    fn apply(world: Self, step: &Step) -> Self {
        world.after(step)
    }
}

fn play(server: &mut Server, players: &mut Players, world: &World, step: &Step) {
    match *step {
        Step::Send { device, conv } => players.send(world, device, conv),
        Step::Repeat { device } => players.repeat(world, device),
        Step::Edit {
            device,
            conv,
            entry,
        } => {
            if let model::Entry::Message {
                number, revision, ..
            } = world.logs[conv][entry]
            {
                players.edit(device, conv, entry, &words(number, revision));
            }
        }
        Step::Recall {
            device,
            conv,
            entry,
        } => players.recall(device, conv, entry),
        Step::Ack { device, conv, .. } => {
            players.ack(device, conv, world.devices[device].held[conv]);
        }
        Step::Connect { device } => players.connect(server, world, device),
        Step::Disconnect { device } => players.disconnect(device),
        Step::Remove { user } => players.member(user, false),
        Step::Add { user } => players.member(user, true),
        Step::Crash => {
            server.crash();
            players.lose_all();
        }
    }
}

/// Takes the step if it can be taken; then every device on line has noticed what it should.
fn go_on(server: &mut Server, players: &mut Players, before: World, step: &Step) -> World {
    if !before.allows(step) {
        return before;
    }
    let world = before.clone().after(step);
    play(server, players, &world, step);
    for device in 0..DEVICES.len() {
        if world.devices[device].online {
            players.notices(&world, device, &before);
        }
    }
    world
}

fn agree_with_the_model(server: Server, cases: u32) {
    let config = Config {
        cases,
        max_shrink_time: SHRINK_MS,
        failure_persistence: None,
        ..Config::default()
    };
    let server = Rc::new(RefCell::new(server));
    let numbers = RefCell::new(0);
    // Most steps have to be possible: what cannot be done now is drawn again.
    let strategy = (
        World::sequential_strategy(1..STEPS),
        proptest::option::weighted(0.2, 0..STEPS),
    );
    let outcome = TestRunner::new(config).run(&strategy, |((start, steps, seen), crash)| {
        let mut server = server.borrow_mut();
        *numbers.borrow_mut() += 1;
        let mut players = Players::new(&server, *numbers.borrow());
        let mut world = start;
        for (at, step) in steps.into_iter().enumerate() {
            if let Some(seen) = &seen {
                // Steps that were never taken are the first to go when a failure is made shorter.
                seen.fetch_add(1, Ordering::SeqCst);
            }
            // A crash costs a start, so there is at most one a case.
            let steps = if crash == Some(at) {
                vec![Step::Crash, step]
            } else {
                vec![step]
            };
            for step in steps.into_iter() {
                world = go_on(&mut server, &mut players, world, &step);
            }
        }
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

/// Found by the search below: whether the acknowledgment of Bob's browser is durable before his PC
/// comes for the first time depends on how long the steps between take.
#[test]
fn a_new_old_client_need_not_be_told_what_another_device_acknowledged() {
    for mut server in [Server::sqlite(), Server::mariadb()] {
        let mut players = Players::new(&server, 1);
        let steps = [
            Step::Connect { device: 1 },
            Step::Send { device: 1, conv: 1 },
            Step::Send { device: 4, conv: 3 },
            Step::Send { device: 0, conv: 0 },
            Step::Disconnect { device: 0 },
            Step::Connect { device: 5 },
            Step::Remove { user: 1 },
            Step::Ack {
                device: 2,
                conv: 0,
                but: 0,
            },
            Step::Send { device: 2, conv: 3 },
            Step::Disconnect { device: 5 },
            Step::Connect { device: 3 },
        ];
        let mut world = World::new();
        for step in &steps {
            world = go_on(&mut server, &mut players, world, step);
        }
    }
}

#[test]
fn every_device_sees_what_the_model_says_on_sqlite() {
    agree_with_the_model(Server::sqlite(), 40);
}

#[test]
fn every_device_sees_what_the_model_says_on_mariadb() {
    agree_with_the_model(Server::mariadb(), 24);
}
