//! A network behind a link that can be taken down.

use std::io;

use super::Namespace;

/// What the end of the link is called inside.
const INSIDE: &str = "inside";

/// See the module's description. Dropping it takes it away.
#[derive(Debug)]
pub struct Network {
    pub namespace: Namespace,
}

impl Network {
    /// One for this process, which has no other one.
    ///
    /// # Errors
    /// When this machine lets nobody make one; says what is missing.
    pub fn new() -> io::Result<Self> {
        let namespace = Namespace::new()?;
        // From here on whatever fails takes it away.
        let network = Self { namespace };
        let namespace = &network.namespace;
        let link = ["link", "add", &namespace.link, "type", "veth"];
        let end = ["peer", "name", INSIDE, "netns", &namespace.name];
        namespace.outside(&[&link[..], &end[..]].concat())?;
        namespace.connect(INSIDE)?;
        Ok(network)
    }

    /// From now on nothing gets through, in neither direction, and nobody is told.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn down(&self) -> io::Result<()> {
        self.namespace.inside(&["link", "set", INSIDE, "down"])
    }

    /// # Errors
    /// When the kernel refuses.
    pub fn up(&self) -> io::Result<()> {
        self.namespace.inside(&["link", "set", INSIDE, "up"])
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // The link goes with either of its ends; by itself, because a program that still runs inside
        // keeps the namespace.
        let _gone = self
            .namespace
            .outside(&["link", "del", &self.namespace.link]);
    }
}
