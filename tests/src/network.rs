//! A network for a server: a network namespace that a pair of virtual interfaces joins to this machine. Tests reach the
//! server there from as many hosts as they want, over IPv4 and IPv6.
//!
//! Needs Linux, root and the program `ip` (Debian's package `iproute2`).

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::process::{Command, Stdio};

/// The number of hosts of each kind.
const HOSTS: u8 = 200;
/// The server's addresses.
const SERVER: (Ipv4Addr, Ipv6Addr) =
    (Ipv4Addr::new(10, 213, 255, 1), Ipv6Addr::new(0xfd00, 0x6a7e, 0xffff, 0, 0, 0, 0, 1));

/// The hosts that connections come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hosts {
    /// Hosts with an IPv4 address each.
    Ipv4,
    /// Hosts in one IPv6 /64, which a server should take for one client.
    Ipv6OneNetwork,
    /// Hosts in an IPv6 /64 each.
    Ipv6,
}

impl Hosts {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ipv4, Self::Ipv6OneNetwork, Self::Ipv6];

    /// The addresses of the hosts.
    pub fn addresses(self) -> Vec<IpAddr> {
        (1..=HOSTS)
            .map(|n| match self {
                Self::Ipv4 => Ipv4Addr::new(10, 213, 1, n).into(),
                Self::Ipv6OneNetwork => Ipv6Addr::new(0xfd00, 0x6a7e, 1, 0, 0, 0, 0, n.into()).into(),
                Self::Ipv6 => Ipv6Addr::new(0xfd00, 0x6a7e, 2, n.into(), 0, 0, 0, 1).into(),
            })
            .collect()
    }
}

/// The network. It is gone when it is dropped.
#[derive(Debug)]
pub struct Network {
    namespace: String,
}

impl Network {
    /// Makes the network. There can be one per process.
    pub fn new() -> Self {
        // An interface's name has at most 15 characters.
        let namespace = format!("gh{}", std::process::id());
        let network = Self { namespace: namespace.clone() };
        let [near, far] = ["n", "f"].map(|end| format!("{namespace}{end}"));
        let (ipv4, ipv6) = SERVER;
        let mut here = vec![
            format!("netns add {namespace}"),
            format!("link add {near} type veth peer name {far} netns {namespace}"),
            // The normal client's.
            format!("addr add 10.213.0.1/16 dev {near}"),
        ];
        for address in Hosts::ALL.into_iter().flat_map(Hosts::addresses) {
            here.push(match address {
                IpAddr::V4(address) => format!("addr add {address}/16 dev {near}"),
                IpAddr::V6(address) => format!("addr add {address}/32 dev {near} nodad"),
            });
        }
        here.push(format!("link set {near} up"));
        ip(&[], &here);
        let there = [
            format!("addr add {ipv4}/16 dev {far}"),
            format!("addr add {ipv6}/32 dev {far} nodad"),
            format!("link set {far} up"),
            "link set lo up".to_owned(),
        ];
        ip(&["-netns", &namespace], &there);
        network
    }

    /// The server's address for clients with an address of this kind.
    pub fn server(client: IpAddr) -> IpAddr {
        let (ipv4, ipv6) = SERVER;
        if client.is_ipv4() { ipv4.into() } else { ipv6.into() }
    }

    /// A command that runs a program in the network, in the same process.
    pub(crate) fn run(&self, program: &Path, command: fn(&Path) -> Command) -> Command {
        let mut command = command(Path::new("ip"));
        command.args(["netns", "exec", &self.namespace]).arg(program);
        command
    }
}

impl Default for Network {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // The interfaces go with the namespace.
        let _ = Command::new("ip").args(["netns", "delete", &self.namespace]).stderr(Stdio::null()).status();
    }
}

/// Runs commands of `ip`, in one process.
fn ip(options: &[&str], commands: &[String]) {
    let mut child = Command::new("ip")
        .args(options)
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("`ip` cannot be run: {error}; install Debian's package iproute2"));
    child.stdin.take().unwrap().write_all(commands.join("\n").as_bytes()).unwrap();
    let status = child.wait().unwrap();
    assert!(status.success(), "`ip` cannot make a network namespace ({status}); run the test as root");
}
