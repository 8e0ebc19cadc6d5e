//! A guest that does one thing on request, well-behaved or not, to test the host.
//!
//! The last segment of the path selects the action, the query has its arguments. It is not part of an application.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "the probe tries what a component may reach")]

mod keyvalue;
mod misbehave;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures::future::join_all;
use futures::{SinkExt as _, StreamExt as _};
use spin_sdk::http::body::{self, IncomingBodyExt as _};
use spin_sdk::http::{BoxBody, FullBody, IntoResponse, Request, Response, StatusCode, box_body};
use spin_sdk::key_value::Store;
use spin_sdk::{http_service, variables};

type Failure = Box<dyn std::error::Error>;
type Answer = Result<Response<BoxBody>, Failure>;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    match answer(request).await {
        Ok(response) => response,
        // The request as the guest saw it, for the test to compare.
        Err(failure) => text(StatusCode::BAD_GATEWAY, failure.to_string()),
    }
}

async fn answer(request: Request) -> Answer {
    let path = request.uri().path().to_owned();
    let query = Query(request.uri().query().unwrap_or_default().to_owned());
    let what = path.rsplit('/').next().unwrap_or_default();
    match what {
        "hello" => ok("hello"),
        "headers" => {
            let lines = request.headers().iter();
            ok(lines
                .map(|(name, value)| format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())))
                .collect::<String>())
        }
        "variable" => ok(variables::get(query.get("name")).await?),
        "environment" => ok(std::env::vars().map(|(name, value)| format!("{name}={value}\n")).collect::<String>()),
        "files" => ok(format!("{:?}", std::fs::read_dir("/").map(Iterator::count).map_err(|error| error.kind()))),
        "clock" => ok(clocks()?),
        "print" => {
            println!("{}", query.get("line"));
            eprintln!("{}", query.get("line"));
            ok("printed")
        }
        "get" => match open(&query).await?.get(query.get("key")).await? {
            Some(value) => ok(value),
            None => Ok(text(StatusCode::NOT_FOUND, "none")),
        },
        "set" => {
            let store = open(&query).await?;
            let value = request.into_body().bytes().await?;
            store.set(query.get("key"), &value).await?;
            ok("set")
        }
        "delete" => {
            open(&query).await?.delete(query.get("key")).await?;
            ok("deleted")
        }
        "exists" => ok(open(&query).await?.exists(query.get("key")).await?.to_string()),
        "keys" => {
            let mut keys = open(&query).await?.get_keys().await.collect().await?;
            keys.sort();
            ok(keys.join("\n"))
        }
        "increment" => ok(keyvalue::increment(&query)?),
        "swap" => ok(keyvalue::swap(&query)?),
        "many" => ok(keyvalue::many(&query)?),
        "mixed" => ok(mixed(&query).await?),
        "flood" => ok(flood(&query).await?),
        "out" => {
            let response = spin_sdk::http::get(query.get("url")).await?;
            let status = response.status();
            let body = response.into_body().bytes().await?;
            Ok(text(status, body))
        }
        "count" => {
            let mut stream = request.into_body().stream();
            let mut bytes = 0;
            while let Some(chunk) = stream.next().await {
                match chunk {
                    Ok(chunk) => bytes += chunk.len(),
                    Err(error) => {
                        println!("the body failed: {error}");
                        return Err(error.into());
                    }
                }
            }
            ok(bytes.to_string())
        }
        "ignore-body" => ok("ignored"),
        "stream" => {
            let count: usize = query.get("chunks").parse()?;
            let (mut sender, body) = body::stream::<Bytes>();
            spin_sdk::wasip3::spawn(async move {
                for _ in 0..count {
                    if sender.send(Bytes::from_static(&[b'x'; 1000])).await.is_err() {
                        return;
                    }
                }
            });
            Ok(Response::new(box_body(body)))
        }
        "after" => {
            let pause = query.millis("ms")?;
            let key = query.get("key").to_owned();
            spin_sdk::wasip3::spawn(async move {
                spin_sdk::time::sleep(pause).await;
                if let Ok(store) = Store::open_default().await {
                    let _ = store.set(&key, b"done").await;
                }
            });
            ok("accepted")
        }
        "sleep" => {
            spin_sdk::time::sleep(query.millis("ms")?).await;
            ok("slept")
        }
        "announce" => {
            // Signals to the test through the store that the request has arrived, then waits.
            Store::open_default().await?.set(query.get("key"), b"arrived").await?;
            spin_sdk::time::sleep(query.millis("ms")?).await;
            ok("done")
        }
        "allocate" => ok(misbehave::allocate(query.get("mib").parse()?).to_string()),
        "fill" => misbehave::fill(),
        "busy" => misbehave::busy(),
        "busy-later" => {
            // Others may join the instance while it waits here.
            Store::open_default().await?.set(query.get("key"), b"arrived").await?;
            spin_sdk::time::sleep(query.millis("ms")?).await;
            misbehave::busy()
        }
        "recurse" => ok(misbehave::recurse(0).to_string()),
        "panic" => misbehave::panic(),
        _ => Ok(text(StatusCode::NOT_FOUND, "the probe does not know this")),
    }
}

/// The time by the clocks of WASI 0.2, which the standard library reads, and of 0.3: seconds since 1970.
fn clocks() -> Result<String, Failure> {
    let second = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let third = spin_sdk::wasip3::clocks::system_clock::now().seconds;
    Ok(format!("{second} {third}"))
}

/// Calls of both interfaces at once: the synchronous one holds the instance while the others are under way. Answers the
/// sum of the counter `key`, and how many of the asynchronous calls failed.
async fn mixed(query: &Query) -> Result<String, Failure> {
    const CALLS: usize = 8;
    let store = open(query).await?;
    let keys: Vec<String> = (0..CALLS).map(|n| format!("{}-{n}", query.get("key"))).collect();
    let calls = join_all(keys.iter().map(async |key| {
        store.set(key, key.as_bytes()).await?;
        store.get(key).await
    }));
    let (values, sum) = futures::join!(calls, async { keyvalue::increment(query) });
    let failed =
        values.iter().zip(&keys).filter(|(value, key)| !matches!(value, Ok(Some(value)) if value == key.as_bytes()));
    Ok(format!("{} {}", sum?, failed.count()))
}

/// More calls at once than a component may have; answers how many were refused.
async fn flood(query: &Query) -> Result<String, Failure> {
    let store = open(query).await?;
    let calls: usize = query.get("calls").parse()?;
    let answers = join_all((0..calls).map(async |_| store.get("k").await)).await;
    let refused =
        |answer: &Result<_, _>| matches!(answer, Err(error) if format!("{error:?}").contains("no more are accepted"));
    Ok(answers.iter().filter(|answer| refused(answer)).count().to_string())
}

async fn open(query: &Query) -> Result<Store, Failure> {
    let label = query.get("store");
    Ok(Store::open(if label.is_empty() { "default" } else { label }).await?)
}

fn ok(body: impl Into<Bytes>) -> Answer {
    Ok(text(StatusCode::OK, body))
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<BoxBody> {
    let body: Bytes = body.into();
    let length = body.len();
    let mut response = Response::new(box_body(FullBody::new(body)));
    *response.status_mut() = status;
    response.headers_mut().insert("content-length", length.into());
    response
}

/// The query of a request, not decoded: tests use no encoded characters.
pub(crate) struct Query(String);

impl Query {
    /// The value of a parameter; empty if it is missing.
    pub(crate) fn get(&self, name: &str) -> &str {
        let mut pairs = self.0.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(found, _)| *found == name).map(|(_, value)| value).unwrap_or_default()
    }

    fn millis(&self, name: &str) -> Result<Duration, Failure> {
        Ok(Duration::from_millis(self.get(name).parse()?))
    }
}
