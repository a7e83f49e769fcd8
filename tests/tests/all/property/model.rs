//! What must be true of three users, their devices and their conversations: small enough to read.
//!
//! Knows nothing of servers. A log is a list; a device is what it acknowledged.

/// Ann, Bob and Cid. All are friends.
pub(super) const USERS: usize = 3;
/// The group's conversation; the others are direct.
pub(super) const GROUP: usize = 3;
/// The conversations of a user: who takes part in each direct one.
pub(super) const PAIRS: [(usize, usize); 3] = [(0, 1), (0, 2), (1, 2)];

/// Which protocol a device speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Web,
    Pc,
    Android,
}

/// Whose device it is, and what it speaks.
pub(super) const DEVICES: [(usize, Kind); 6] = [
    (0, Kind::Web),
    (0, Kind::Web),
    (1, Kind::Web),
    (1, Kind::Pc),
    (2, Kind::Web),
    (2, Kind::Android),
];

/// What happens. Numbers are indexes; what does not fit the state is not generated.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Send {
        device: usize,
        conv: usize,
    },
    /// The device's last message once more, under the same client id.
    Repeat {
        device: usize,
    },
    Edit {
        device: usize,
        conv: usize,
        entry: usize,
    },
    Recall {
        device: usize,
        conv: usize,
        entry: usize,
    },
    /// The device holds everything it was told in this conversation, but for so many.
    Ack {
        device: usize,
        conv: usize,
        but: usize,
    },
    Connect {
        device: usize,
    },
    Disconnect {
        device: usize,
    },
    /// Ann takes a member out of the group.
    Remove {
        user: usize,
    },
    /// Ann makes somebody a member again.
    Add {
        user: usize,
    },
    /// `kill -9`, and a start on the same data.
    Crash,
}

/// An entry of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Message {
        device: usize,
        /// Names the message in all conversations.
        number: usize,
        /// How often it was edited.
        revision: usize,
        recalled: bool,
    },
    /// Something new about the message at this index.
    Update { device: usize, of: usize },
    /// The group has another member, or one less.
    Notice,
}

/// What a message says.
pub(super) fn words(number: usize, revision: usize) -> String {
    format!("m{number}.{revision}.")
}

/// A device and what it acknowledged.
#[derive(Clone, Debug, Default)]
pub(super) struct Device {
    pub(super) online: bool,
    /// It was on line before.
    known: bool,
    /// How many entries of each conversation.
    pub(super) held: [usize; 4],
    /// How many entries of each conversation it needed no word of when it connected.
    pub(super) begun: [usize; 4],
    /// How many entries of each conversation it was told of on its connection.
    pub(super) told: [usize; 4],
    /// What it sent last: conversation and entry.
    pub(super) sent: Option<(usize, usize)>,
}

/// Everything.
#[derive(Clone)]
pub(super) struct World {
    pub(super) logs: [Vec<Entry>; 4],
    /// From which entry of the group each user may read; `None` for no member.
    pub(super) since: [Option<usize>; USERS],
    pub(super) devices: [Device; 6],
    messages: usize,
}

impl std::fmt::Debug for World {
    /// Short: failures begin with the world in which all is silent.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a world of {} messages", self.messages)
    }
}

impl World {
    /// All is silent, and only the first device of everybody is connected.
    pub(super) fn new() -> Self {
        let mut world = Self {
            logs: Default::default(),
            since: [Some(0); USERS],
            devices: Default::default(),
            messages: 0,
        };
        for device in [0, 2, 4] {
            world.devices[device].online = true;
        }
        world
    }

    /// From which entry on the user may read this conversation.
    pub(super) fn readable_from(&self, user: usize, conv: usize) -> Option<usize> {
        match PAIRS.get(conv) {
            Some((a, b)) => (*a == user || *b == user).then_some(0),
            None => self.since[user],
        }
    }

    pub(super) fn user(device: usize) -> usize {
        DEVICES[device].0
    }

    fn is_web(device: usize) -> bool {
        DEVICES[device].1 == Kind::Web
    }

    /// Whether the step can be taken now.
    pub(super) fn allows(&self, step: &Step) -> bool {
        let is_on = |device: usize| self.devices[device].online;
        let concerns = |device: usize, conv: usize| {
            conv == GROUP || self.readable_from(Self::user(device), conv).is_some()
        };
        let own = |device: usize, conv: usize, entry: usize| {
            let readable = self.readable_from(Self::user(device), conv);
            readable.is_some_and(|from| entry >= from)
                && matches!(
                    self.logs[conv].get(entry),
                    Some(Entry::Message { device: author, recalled: false, .. })
                        if Self::user(*author) == Self::user(device)
                )
        };
        match step {
            Step::Send { device, conv } => is_on(*device) && concerns(*device, *conv),
            Step::Repeat { device } => {
                let readable = self.devices[*device].sent.is_some_and(|(conv, entry)| {
                    let from = self.readable_from(Self::user(*device), conv);
                    from.is_some_and(|from| entry >= from)
                });
                is_on(*device) && Self::is_web(*device) && readable
            }
            Step::Edit {
                device,
                conv,
                entry,
            }
            | Step::Recall {
                device,
                conv,
                entry,
            } => is_on(*device) && Self::is_web(*device) && own(*device, *conv, *entry),
            Step::Ack { device, conv, .. } => {
                let readable = self.readable_from(Self::user(*device), *conv).is_some();
                is_on(*device) && Self::is_web(*device) && readable
            }
            Step::Connect { device } => !is_on(*device),
            Step::Disconnect { device } => is_on(*device),
            Step::Remove { user } => self.since[*user].is_some(),
            Step::Add { user } => self.since[*user].is_none(),
            Step::Crash => true,
        }
    }

    /// The world after the step. Whoever is on line has been told of everything then.
    pub(super) fn after(mut self, step: &Step) -> Self {
        match *step {
            Step::Send { device, conv } => self.send(device, conv),
            Step::Repeat { .. } => {}
            Step::Edit {
                device,
                conv,
                entry,
            } => {
                if let Entry::Message { revision, .. } = &mut self.logs[conv][entry] {
                    *revision += 1;
                }
                self.logs[conv].push(Entry::Update { device, of: entry });
            }
            Step::Recall {
                device,
                conv,
                entry,
            } => {
                if let Entry::Message { recalled, .. } = &mut self.logs[conv][entry] {
                    *recalled = true;
                }
                self.logs[conv].push(Entry::Update { device, of: entry });
            }
            Step::Ack { device, conv, but } => {
                let device = &mut self.devices[device];
                let held = device.told[conv].saturating_sub(but);
                device.held[conv] = held.max(device.held[conv]);
            }
            Step::Connect { device } => self.connect(device),
            Step::Disconnect { device } => self.devices[device].online = false,
            Step::Remove { user } => {
                self.since[user] = None;
                self.logs[GROUP].push(Entry::Notice);
            }
            Step::Add { user } => {
                self.since[user] = Some(self.logs[GROUP].len());
                self.logs[GROUP].push(Entry::Notice);
            }
            Step::Crash => self
                .devices
                .iter_mut()
                .for_each(|device| device.online = false),
        }
        self.tell();
        self
    }

    fn connect(&mut self, number: usize) {
        let mut begins_at = self.devices[number].held;
        // An old client that comes for the first time begins where the user's others are. How far
        // they acknowledged is on its way; behind what they were told of it certainly begins.
        if !self.devices[number].known && !Self::is_web(number) {
            for (other, device) in self.devices.iter().enumerate() {
                if Self::user(other) == Self::user(number) {
                    for (begin, told) in begins_at.iter_mut().zip(device.told) {
                        *begin = told.max(*begin);
                    }
                }
            }
        }
        let device = &mut self.devices[number];
        (device.online, device.known) = (true, true);
        (device.held, device.begun, device.told) = (begins_at, begins_at, begins_at);
    }

    fn send(&mut self, device: usize, conv: usize) {
        if self.readable_from(Self::user(device), conv).is_none() {
            return;
        }
        self.messages += 1;
        self.devices[device].sent = Some((conv, self.logs[conv].len()));
        self.logs[conv].push(Entry::Message {
            device,
            number: self.messages,
            revision: 0,
            recalled: false,
        });
    }

    fn tell(&mut self) {
        for (number, (user, kind)) in DEVICES.into_iter().enumerate() {
            for conv in 0..self.logs.len() {
                let readable = self.readable_from(user, conv).is_some();
                let device = &mut self.devices[number];
                if device.online && readable {
                    device.told[conv] = self.logs[conv].len();
                    if kind != Kind::Web {
                        // The old clients acknowledge by receiving.
                        device.held[conv] = self.logs[conv].len();
                    }
                }
            }
        }
    }

    /// What a device that had been told of `from` entries has to be told of now, in order. What it
    /// did itself it may be told of or not, and so with notices.
    pub(super) fn due(&self, device: usize, conv: usize, from: usize) -> Vec<usize> {
        let user = Self::user(device);
        let Some(since) = self.readable_from(user, conv) else {
            return Vec::new();
        };
        let is_web = Self::is_web(device);
        let first = from.max(since);
        let entries = self.logs[conv].iter().enumerate().skip(first);
        entries
            .filter(|(_, entry)| match entry {
                Entry::Message {
                    device: author,
                    recalled,
                    ..
                } if is_web => {
                    // Whether a recalled message is told as recalled or left to its update.
                    *author != device && !recalled
                }
                Entry::Message {
                    device: author,
                    recalled,
                    ..
                } => Self::user(*author) != user && !recalled,
                Entry::Update { device: author, of } => is_web && *author != device && *of >= since,
                Entry::Notice => false,
            })
            .map(|(at, _)| at)
            .collect()
    }
}
