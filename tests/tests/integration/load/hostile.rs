//! Clients that misbehave beside a normal one: from one address and from many, they hold neither its connections nor
//! its places. What the embedded host promises; Spin leaves it to what is in front of it.

use super::{Until, Uploader, project};
use socket2::{Domain, Socket, Type};
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tests::{App, Client, Figures, Hosts, Network, Options, Store, embedded_only};

/// The pause between two bytes of a slow client, and between two attempts to connect.
const PAUSE: Duration = Duration::from_millis(500);

/// The way in which a client misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attack {
    /// Connects and sends nothing.
    Idle,
    /// Sends the head of a request byte by byte.
    SlowHead,
    /// Sends the body of an upload byte by byte, without a token.
    SlowBody,
    /// The same with a token of another project than the normal client's.
    SlowBodyWithToken,
    /// Requests many pages and reads nothing.
    ReadsNothing,
    /// Sends uploads without a token as fast as they are refused.
    Flood,
}

impl Attack {
    const ALL: [Self; 6] =
        [Self::Idle, Self::SlowHead, Self::SlowBody, Self::SlowBodyWithToken, Self::ReadsNothing, Self::Flood];

    /// The bytes that are sent at once on a new connection.
    fn beginning(self, token: &str) -> Vec<u8> {
        let upload = |header: &str| {
            let path = "/api/v1/projects/hostile/scans?scanner=bandit&target=slow&variant=main";
            format!("POST {path} HTTP/1.1\r\nhost: x\r\n{header}content-length: 100000\r\n\r\n").into_bytes()
        };
        match self {
            Self::Idle => Vec::new(),
            Self::SlowHead => b"GET / HTTP/1.1\r\nhost: x\r\nx-name: ".to_vec(),
            Self::SlowBody | Self::Flood => upload(""),
            Self::SlowBodyWithToken => upload(&format!("authorization: Bearer {token}\r\n")),
            Self::ReadsNothing => b"GET /api/v1/openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(40),
        }
    }

    /// Holds a connection until the server closes it or `ended`.
    fn hold(self, stream: &mut TcpStream, token: &str, ended: &AtomicBool) -> std::io::Result<()> {
        stream.set_read_timeout(Some(PAUSE))?;
        stream.set_write_timeout(Some(PAUSE))?;
        stream.write_all(&self.beginning(token))?;
        let mut buffer = [0; 4096];
        while !ended.load(Ordering::Relaxed) {
            match self {
                // The kernel's buffers fill up.
                Self::ReadsNothing => {
                    if let Err(error) = stream.write_all(&self.beginning(token))
                        && !is_pause(&error)
                    {
                        return Err(error);
                    }
                    std::thread::sleep(PAUSE);
                }
                Self::Flood => return stream.read(&mut buffer).map(drop),
                Self::Idle | Self::SlowHead | Self::SlowBody | Self::SlowBodyWithToken => {
                    match stream.read(&mut buffer) {
                        Ok(0) => return Ok(()),
                        Ok(_) => {}
                        Err(error) if is_pause(&error) => {}
                        Err(error) => return Err(error),
                    }
                    if self != Self::Idle {
                        stream.write_all(b"x")?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// True if a read or a write ended because it took as long as a pause.
fn is_pause(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
}

/// Connects from an address of this machine.
fn connect(from: IpAddr, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, None)?;
    // Small, so that a client that reads nothing is noticed soon.
    socket.set_recv_buffer_size(4096)?;
    // Closed by a reset, which frees the port at once: a flood would leave none for other tests.
    socket.set_linger(Some(Duration::ZERO))?;
    socket.bind(&SocketAddr::from((from, 0)).into())?;
    socket.connect_timeout(&to.into(), Duration::from_secs(5))?;
    Ok(socket.into())
}

/// The addresses of attackers, all other than the normal client's, with words for them.
type Origin = (&'static str, Vec<IpAddr>);

/// Loopback addresses: one, and many.
fn loopback() -> [Origin; 2] {
    let addresses = |count| (1..=count).map(|n| Ipv4Addr::new(127, 0, 1, n).into()).collect();
    [("1 address", addresses(1)), ("200 addresses", addresses(200))]
}

/// Attacks with so many connections from these addresses.
struct Attackers {
    attack: Attack,
    connections: usize,
    origin: Origin,
    /// Their token, which is not the normal client's.
    token: String,
}

impl Attackers {
    /// Runs `job` during the attack, once all attackers have tried to connect. Returns what it returns.
    fn during<T>(&self, app: &App, job: impl FnOnce() -> T) -> T {
        let (ended, started) = (AtomicBool::new(false), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            let (ended, started) = (&ended, &started);
            let routes: Vec<_> = self.origin.1.iter().map(|from| (*from, app.address_for(*from))).collect();
            scope.spawn(move || {
                lower_priority();
                std::thread::scope(|scope| {
                    for (from, to) in routes.into_iter().cycle().take(self.connections) {
                        scope.spawn(move || self.attack(from, to, (started, ended)));
                    }
                });
            });
            while started.load(Ordering::Relaxed) < self.connections {
                std::thread::yield_now();
            }
            let result = job();
            ended.store(true, Ordering::Relaxed);
            result
        })
    }

    /// Attacks with one connection after the other.
    fn attack(&self, from: IpAddr, to: SocketAddr, (started, ended): (&AtomicUsize, &AtomicBool)) {
        let mut first = true;
        while !ended.load(Ordering::Relaxed) {
            let connected = connect(from, to);
            if std::mem::take(&mut first) {
                started.fetch_add(1, Ordering::Relaxed);
            }
            // A connection that is refused or closed is what the server should do; the next attempt follows.
            let held = connected.and_then(|mut stream| self.attack.hold(&mut stream, &self.token, ended));
            if held.is_err() || self.attack != Attack::Flood {
                std::thread::sleep(PAUSE);
            }
        }
    }
}

/// Gives this thread, and those that it spawns, the lowest priority. Attackers are other machines; here they would take
/// the server's processor instead of its connections. Linux alone has priorities of threads.
fn lower_priority() {
    let thread = std::fs::read_link("/proc/thread-self").unwrap();
    let renice = Command::new("renice").args(["-n", "19", "-p"]).arg(thread.file_name().unwrap()).output().unwrap();
    assert!(renice.status.success(), "{}", String::from_utf8_lossy(&renice.stderr));
}

/// Measures a normal client beside an attack.
fn beside(app: &App, client: &Client, attackers: &Attackers, until: Until) -> Figures {
    let Attackers { attack, connections, origin: (origin, _), .. } = attackers;
    let name = format!("{attack:?}-{origin}").replace([' ', '/'], "-");
    attackers.during(app, || {
        let mut normal = Uploader::new(&app.url(), client, name.clone());
        normal.run(until);
        eprintln!("beside {connections} connections from {origin}, {attack:?}: {}", normal.figures);
        let reads = client.at(&app.url()).get("scans?limit=1");
        assert_eq!(reads.status, 200, "{name}: {}", reads.text());
        normal.figures
    })
}

/// The figures of a normal client: beside an attack, and alone.
struct Measured {
    attack: String,
    beside: Figures,
    alone: Figures,
}

/// Attacks in each way from each origin.
fn attacks(app: &App, origins: &[Origin], connections: usize, until: Until) -> Vec<Measured> {
    let client = project(app);
    let reader = app.admin("load");
    let others = app.admin("hostile");
    others.create_project();
    let token = others.issue("ci", "uploader").token().to_owned();
    let mut quiet = Uploader::new(&app.url(), &client, "quiet");
    quiet.run(Until::Uploads(50));
    eprintln!("quiet: {}", quiet.figures);
    let mut all = Vec::new();
    for attack in Attack::ALL {
        for origin in origins {
            let attackers = Attackers { attack, connections, origin: origin.clone(), token: token.clone() };
            let beside = beside(app, &reader, &attackers, until);
            all.push(Measured {
                attack: format!("{attack:?} from {}", origin.0),
                beside,
                alone: quiet.figures.clone(),
            });
        }
    }
    for Measured { attack, beside, .. } in &all {
        assert_eq!(beside.failed, Vec::<String>::new(), "{attack}");
        assert_eq!(beside.refused(), 0, "{attack}: {beside}");
    }
    all
}

/// Checks that a normal client was at most ten times as slow beside an attack as alone.
fn check_speed(measured: Vec<Measured>) {
    for Measured { attack, beside, alone } in measured {
        let (alone, beside) = (alone.quantile(0.99), beside.quantile(0.99));
        assert!(beside <= alone * 10, "{attack}: p99 {beside:?}, and {alone:?} alone");
    }
}

#[test]
fn a_normal_client_is_neither_refused_nor_cut_off_beside_clients_that_misbehave() {
    if !embedded_only("limits of connections and of clients without a token") {
        return;
    }
    attacks(&App::new(), &loopback(), 300, Until::Uploads(5));
}

#[test]
#[ignore = "load: takes minutes; `cargo xtask test --load` runs it"]
fn a_normal_client_is_at_most_ten_times_as_slow_beside_clients_that_misbehave() {
    if !embedded_only("limits of connections and of clients without a token") {
        return;
    }
    check_speed(attacks(&App::new(), &loopback(), 1200, Until::Time(Duration::from_secs(40))));
}

#[test]
#[ignore = "load: takes minutes and needs root for a network namespace; `cargo xtask test --load` runs it"]
fn a_normal_client_is_at_most_ten_times_as_slow_beside_other_hosts_that_misbehave() {
    if !embedded_only("limits of connections and of clients without a token") {
        return;
    }
    let app = App::start(Options { network: Some(Arc::new(Network::new())), ..Options::on(Store::Sqlite) });
    let origins = Hosts::ALL.map(|hosts| {
        let words = match hosts {
            Hosts::Ipv4 => "200 hosts with IPv4",
            Hosts::Ipv6OneNetwork => "200 hosts of an IPv6 /64",
            Hosts::Ipv6 => "200 hosts of an IPv6 /64 each",
        };
        (words, hosts.addresses())
    });
    check_speed(attacks(&app, &origins, 1200, Until::Time(Duration::from_secs(20))));
}
