//! `gatehouse up`: runs the application on the embedded host, until a signal ends it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use host::{Config, Network, Server, variables};
use tracing_subscriber::EnvFilter;

use crate::limits_args::{LimitsArgs, duration};
use crate::{admin_token, application, output, terminal};

/// The variable with the first admin token.
const ADMIN_TOKEN: &str = "admin_token";

/// Run the application on the embedded host
///
/// Serves the application that is built into this program, or the one of a `spin.toml`. State is stored in the data
/// folder, in the format of Spin's key-value store, so that `spin up` can use it too; with a runtime configuration file
/// in Spin's format, it is stored in Redis.
///
/// Once requests are accepted, one line is printed to standard output: `Serving http://127.0.0.1:3000`. The log goes to
/// standard error. SIGINT and SIGTERM let requests in progress finish.
///
/// The first start generates an admin token and stores it in the data folder, unless SPIN_VARIABLE_ADMIN_TOKEN or
/// `--variable admin_token=...` sets one.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  gatehouse up
  gatehouse up --listen 0.0.0.0:8080 --data /var/lib/gatehouse --log-format json
  gatehouse up --app spin.toml --variable log_level=debug

Environment: SPIN_VARIABLE_<NAME> sets a variable of the application, as with Spin; RUST_LOG filters the log.

Exit codes: 0 stopped by a signal with all requests finished, 2 wrong usage, failure, or aborted requests.")]
pub(crate) struct UpArgs {
    /// Address to listen on; port 0 means any free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// Address of health and metrics, `GET /health` and `GET /metrics`, for the operator alone; `off` for none
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9464", value_parser = admin_address)]
    admin_listen: AdminListen,
    /// A proxy in front, as an address or a block of them; its `X-Forwarded-For` says who the client is. May be given
    /// several times
    #[arg(long = "trusted-proxy", value_name = "NETWORK")]
    trusted_proxies: Vec<Network>,
    /// Data folder
    #[arg(long, value_name = "FOLDER", default_value = ".spin")]
    data: PathBuf,
    /// The `spin.toml` of the application to run, instead of the built-in one
    #[arg(long, value_name = "FILE")]
    app: Option<PathBuf>,
    /// A runtime configuration file in Spin's format
    #[arg(long, value_name = "FILE")]
    runtime_config_file: Option<PathBuf>,
    /// Folder for compiled code; defaults to the user's cache folder
    #[arg(long, value_name = "FOLDER")]
    cache: Option<PathBuf>,
    /// Set a variable of the application; may be given several times
    #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = variable)]
    variables: Vec<(String, String)>,
    /// Time limit for requests in progress when the server is stopped
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    grace_period: Duration,
    /// Move the application's clock forward, for example by `3d` or `12h`, for tests and rehearsals
    ///
    /// Everything is stored with the later time permanently. Never use it on data that is also used without it.
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = duration, hide_short_help = true)]
    clock_offset: Duration,
    /// Format of the log
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
    /// Log more: -v the stores' work, -vv everything
    #[arg(short, long, action = clap::ArgAction::Count)]
    verbose: u8,
    #[command(flatten)]
    limits: LimitsArgs,
}

/// The address of health and metrics; none if they are off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct AdminListen(Option<SocketAddr>);

fn admin_address(text: &str) -> Result<AdminListen, String> {
    if text == "off" {
        return Ok(AdminListen(None));
    }
    match text.parse() {
        Ok(address) => Ok(AdminListen(Some(address))),
        Err(_) => Err("use an address with a port, for example 127.0.0.1:9464, or `off`".to_owned()),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// Plain text
    Text,
    /// One JSON object per line
    Json,
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("use NAME=VALUE")?;
    if name.is_empty() {
        Err("the name is empty; use NAME=VALUE".to_owned())
    } else {
        Ok((name.to_owned(), value.to_owned()))
    }
}

/// Runs the command.
pub(crate) fn run(args: UpArgs) -> Result<()> {
    log(args.log_format, args.verbose);
    let app = application::source(args.app.as_deref())?;
    let manifest = app.manifest()?;
    let mut config = Config::new(app, &args.data);
    config.listen = args.listen;
    config.admin_listen = args.admin_listen.0;
    config.trusted_proxies = args.trusted_proxies;
    config.cache_dir = args.cache;
    config.runtime_config = args.runtime_config_file;
    config.limits = args.limits.limits();
    config.clock_offset = args.clock_offset;
    config.variables = args.variables.into_iter().collect();
    if manifest.variables.contains_key(ADMIN_TOKEN) && !is_given(&config.variables) {
        let stored = admin_token::load_or_generate(&args.data)?;
        let path = stored.path.display().to_string();
        if stored.new {
            anstream::eprintln!("The admin token is {}; it is stored in {}.", stored.token, terminal::plain(&path));
        } else {
            anstream::eprintln!("The admin token is in {}.", terminal::plain(&path));
        }
        config.variables.insert(ADMIN_TOKEN.to_owned(), stored.token);
    }
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(serve(config, args.grace_period))
}

/// True if the operator set a token.
fn is_given(overrides: &BTreeMap<String, String>) -> bool {
    let value = overrides.get(ADMIN_TOKEN).cloned().or_else(|| variables::from_environment(ADMIN_TOKEN));
    value.is_some_and(|value| !value.trim().is_empty())
}

async fn serve(config: Config, grace: Duration) -> Result<()> {
    // From here on a signal stops the server cleanly, even while it starts.
    let mut signals = Signals::new().context("cannot wait for signals")?;
    let server = tokio::select! {
        server = Server::start(config) => server?,
        () = signals.next() => return Ok(()),
    };
    output::line(&format!("Serving http://{}", server.local_addr()))?;
    signals.next().await;
    anstream::eprintln!("Stopping; a second signal stops at once.");
    tokio::select! {
        stopped = server.shutdown(grace) => Ok(stopped?),
        () = signals.next() => anyhow::bail!("requests in progress were aborted"),
    }
}

/// Signals of the user or the system to stop.
pub(crate) struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    pub(crate) fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    #[cfg(not(unix))]
    pub(crate) fn new() -> std::io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(unix)]
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => (),
            _ = self.terminate.recv() => (),
        }
    }

    #[cfg(not(unix))]
    pub(crate) async fn next(&mut self) {
        // Without a signal there is no end to wait for.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Sends the log to standard error.
fn log(format: LogFormat, verbose: u8) {
    let standard = match verbose {
        0 => "warn,host=info,gatehouse=info",
        1 => "info,host=debug,gatehouse=debug",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(standard));
    let colour = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colour);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_split_at_the_first_equals_sign() {
        assert_eq!(variable("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert_eq!(variable("a="), Ok(("a".to_owned(), String::new())));
        for text in ["secret", "=secret"] {
            assert!(!variable(text).unwrap_err().contains("secret"), "{text}");
        }
    }

    #[test]
    fn health_and_metrics_have_an_address_or_are_off() {
        assert_eq!(admin_address("off"), Ok(AdminListen(None)));
        assert_eq!(admin_address("[::1]:0"), Ok(AdminListen(Some("[::1]:0".parse().unwrap()))));
        assert!(admin_address("9464").unwrap_err().contains("127.0.0.1:9464"));
    }

    #[test]
    fn an_empty_token_counts_as_missing() {
        let given = |value: &str| is_given(&BTreeMap::from([(ADMIN_TOKEN.to_owned(), value.to_owned())]));
        assert!(given("gate_x"));
        assert!(!given("") && !given(" "));
    }
}
