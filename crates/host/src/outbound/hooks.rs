//! The one way out for a component's HTTP requests: to another component, to an allowed host, or refused.

use std::sync::Arc;

use http::{Request, Response};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use super::{Permission, chaining_target, send};
use crate::guest::Component;

/// Sends the requests of one instance.
pub(crate) struct Hooks {
    component: Arc<Component>,
}

/// The connection's work after the response's head.
pub(super) type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;

type Sending = Box<dyn Future<Output = Result<(Response<WasiBody>, Io), Error>> + Send>;

impl Hooks {
    pub(crate) fn new(component: Arc<Component>) -> Self {
        Self { component }
    }
}

impl WasiHttpHooks for Hooks {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _processing: Io,
    ) -> Sending {
        let component = Arc::clone(&self.component);
        Box::new(async move {
            let permission = component.outbound.permits(request.uri());
            if permission == Permission::Denied {
                let host = request.uri().host().unwrap_or_default();
                tracing::warn!(
                    target: "gatehouse::outbound", component = &*component.id, host,
                    "refused: the manifest's allowed_outbound_hosts do not cover this host"
                );
                return Err(Error::HttpRequestDenied);
            }
            let Some(target) = chaining_target(request.uri()).map(str::to_owned) else {
                return send::send(request, options.unwrap_or_default(), permission).await;
            };
            let app = component.app.upgrade().ok_or(Error::DestinationUnavailable)?;
            // Boxed, because the call can lead here again.
            let response = Box::pin(app.chain(&target, request)).await?;
            Ok((response, Box::new(async { Ok(()) }) as Io))
        })
    }
}
