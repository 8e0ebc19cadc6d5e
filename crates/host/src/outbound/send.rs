//! Sends a request over the network: resolve, check the address, connect to exactly that address.
//!
//! Follows no redirects and keeps no connections.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::header::HOST;
use http::{HeaderValue, Request, Response, Uri, uri};
use http_body_util::BodyExt as _;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use super::Permission;
use super::address::is_public;
use super::hooks::Io;

/// Time limit for connecting; a component can set a shorter one.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Default time limit for the head of a response.
const FIRST_BYTE_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) async fn send(
    mut request: Request<WasiBody>,
    options: RequestOptions,
    permission: Permission,
) -> Result<(Response<WasiBody>, Io), Error> {
    let authority = request.uri().authority().cloned().ok_or(Error::HttpRequestUriInvalid)?;
    let tls = request.uri().scheme() == Some(&uri::Scheme::HTTPS);
    let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');

    let connect_timeout = options.connect_timeout.unwrap_or(CONNECT_TIMEOUT).min(CONNECT_TIMEOUT);
    let stream =
        timeout(connect_timeout, connect(host, port, permission)).await.map_err(|_| Error::ConnectionTimeout)??;

    let target = request.uri().path_and_query().map_or("/", uri::PathAndQuery::as_str);
    let target: Uri = target.parse().map_err(|_| Error::HttpRequestUriInvalid)?;
    *request.uri_mut() = target;
    if !request.headers().contains_key(HOST) {
        let value = HeaderValue::from_str(authority.as_str()).map_err(|_| Error::HttpRequestUriInvalid)?;
        request.headers_mut().insert(HOST, value);
    }
    let first_byte = options.first_byte_timeout.unwrap_or(FIRST_BYTE_TIMEOUT);
    if tls {
        let name = ServerName::try_from(host.to_owned())?;
        let stream = timeout(connect_timeout, TlsConnector::from(tls_config()?).connect(name, stream))
            .await
            .map_err(|_| Error::ConnectionTimeout)?
            .map_err(Error::Tls)?;
        exchange(stream, request, first_byte).await
    } else {
        exchange(stream, request, first_byte).await
    }
}

/// Resolves once and connects to what was checked, so that the name cannot change in between.
async fn connect(host: &str, port: u16, permission: Permission) -> Result<TcpStream, Error> {
    let resolved = tokio::net::lookup_host((host, port))
        .await
        .map_err(|error| Error::DnsError { rcode: Some(error.to_string()), info_code: None })?;
    let (allowed, prohibited): (Vec<SocketAddr>, Vec<SocketAddr>) =
        resolved.partition(|address| permission == Permission::AnyAddress || is_public(address.ip()));
    if allowed.is_empty() {
        if prohibited.is_empty() {
            return Err(Error::DestinationNotFound);
        }
        tracing::warn!(
            target: "gatehouse::outbound", host,
            "refused: the host is allowed by a wildcard only and has no public address"
        );
        return Err(Error::DestinationIpProhibited);
    }
    let stream = TcpStream::connect(allowed.as_slice()).await.map_err(Error::Connect)?;
    stream.set_nodelay(true).map_err(Error::Connect)?;
    Ok(stream)
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<WasiBody>,
    first_byte: Duration,
) -> Result<(Response<WasiBody>, Io), Error> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut connection = AbortOnDrop(tokio::spawn(connection));
    let response =
        timeout(first_byte, sender.send_request(request)).await.map_err(|_| Error::ConnectionReadTimeout)??;
    let io = async move {
        match (&mut connection.0).await {
            Ok(result) => result.map_err(Error::from),
            Err(_) => Err(Error::ConnectionTerminated),
        }
    };
    Ok((response.map(|body| body.map_err(Error::from).boxed_unsync()), Box::new(io)))
}

/// Ends the connection with the component that made it.
struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Trusts the roots of the web, compiled in.
fn tls_config() -> Result<Arc<ClientConfig>, Error> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(config) = CONFIG.get() {
        return Ok(Arc::clone(config));
    }
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.into() };
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::InternalError(Some(error.to_string())))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::clone(CONFIG.get_or_init(|| Arc::new(config))))
}
