//! A guest of WASI 0.2: shows that components of that version are served too.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "the probe tries what a component may reach")]

use std::io::{Read as _, Write as _};

use wasi::exports::http::incoming_handler::Guest;
use wasi::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};

struct Probe;

wasi::http::proxy::export!(Probe);

impl Guest for Probe {
    fn handle(request: IncomingRequest, outparam: ResponseOutparam) {
        let path = request.path_with_query().unwrap_or_default();
        match path.rsplit('/').next().unwrap_or_default() {
            "busy" => loop {
                std::hint::black_box(0);
            },
            "count" => {
                let mut bytes = Vec::new();
                let read = request.consume().ok().and_then(|body| body.stream().ok()?.read_to_end(&mut bytes).ok());
                respond(outparam, 200, &format!("{read:?}"));
            }
            "no-answer" => {}
            "headers" => {
                let lines = request.headers().entries().into_iter();
                let lines: String =
                    lines.map(|(name, value)| format!("{name}: {}\n", String::from_utf8_lossy(&value))).collect();
                respond(outparam, 200, &lines);
            }
            _ => respond(outparam, 200, "hello from 0.2"),
        }
    }
}

fn respond(outparam: ResponseOutparam, status: u16, text: &str) {
    let response = OutgoingResponse::new(Fields::new());
    let _ = response.set_status_code(status);
    let body = response.body();
    ResponseOutparam::set(outparam, Ok(response));
    let Ok(body) = body else { return };
    if let Ok(mut stream) = body.write() {
        let _ = stream.write_all(text.as_bytes());
        let _ = stream.flush();
    }
    let _ = OutgoingBody::finish(body, None);
}
