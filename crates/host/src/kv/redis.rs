//! The Redis back end.
//!
//! Keys are used as they are and the label is ignored, as Spin does, so that both can share a database; two labels of
//! one database therefore see each other's keys. One multiplexed connection serves everything and is renewed when it
//! breaks; a write that was under way when it broke fails, because whether it happened is unknown. A read is repeated.
//! Time limits are the caller's.

use std::collections::BTreeSet;
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, FromRedisValue, RedisError, ServerErrorKind};

use super::{Error, Result};

/// Further attempts to connect, and the pause before the first. Few, because each request that finds no connection
/// makes attempts of its own: so the server is found again by the first request after it is back.
const CONNECT_RETRIES: usize = 1;
const CONNECT_PAUSE: Duration = Duration::from_millis(100);

/// Keys asked for per step of a listing.
const SCAN_COUNT: usize = 1000;

/// Compares and sets in one step: transactions with WATCH would need a connection each. `ARGV[1]` tells whether the key
/// must exist, `ARGV[2]` is the value it must have.
const SWAP: &str = "local current = redis.call('GET', KEYS[1]) \
    if ARGV[1] == '1' then if current ~= ARGV[2] then return 0 end elseif current then return 0 end \
    redis.call('SET', KEYS[1], ARGV[3]) return 1";

#[derive(Clone)]
pub(super) struct Redis {
    connection: ConnectionManager,
}

impl Redis {
    /// Connects; fails if the server does not answer now. `timeout` is that of a call.
    pub(super) async fn connect(url: &str, timeout: Duration) -> std::result::Result<Self, RedisError> {
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(timeout / 2))
            .set_response_timeout(None)
            .set_number_of_retries(CONNECT_RETRIES)
            .set_min_delay(CONNECT_PAUSE);
        let connection = ConnectionManager::new_with_config(Client::open(url)?, config).await?;
        Ok(Self { connection })
    }

    async fn send<T: FromRedisValue>(&self, command: &redis::Cmd) -> std::result::Result<T, RedisError> {
        command.query_async(&mut self.connection.clone()).await
    }

    /// A command that changes nothing. The first one after the server was away learns that the connection is broken, by
    /// which a new one is made, and is repeated.
    async fn read<T: FromRedisValue>(&self, command: &redis::Cmd) -> Result<T> {
        let answer = match self.send(command).await {
            Err(error) if error.is_io_error() => self.send(command).await,
            answer => answer,
        };
        answer.map_err(backend)
    }

    /// A command that changes something; repeated only if the server did not get it.
    async fn write<T: FromRedisValue>(&self, command: &redis::Cmd) -> std::result::Result<T, RedisError> {
        match self.send(command).await {
            Err(error) if error.is_connection_refusal() => self.send(command).await,
            answer => answer,
        }
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.read(redis::cmd("GET").arg(key)).await
    }

    pub(super) async fn exists(&self, key: &str) -> Result<bool> {
        self.read(redis::cmd("EXISTS").arg(key)).await
    }

    pub(super) async fn get_many(&self, keys: Vec<String>) -> Result<Vec<(String, Option<Vec<u8>>)>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let values: Vec<Option<Vec<u8>>> = self.read(redis::cmd("MGET").arg(&keys)).await?;
        Ok(keys.into_iter().zip(values).collect())
    }

    /// `SCAN` may repeat keys; the set removes the repetitions.
    pub(super) async fn keys(&self) -> Result<Vec<String>> {
        let mut keys = BTreeSet::new();
        let mut cursor = 0_u64;
        loop {
            let (next, page): (u64, Vec<String>) =
                self.read(redis::cmd("SCAN").arg(cursor).arg("COUNT").arg(SCAN_COUNT)).await?;
            keys.extend(page);
            if next == 0 {
                return Ok(keys.into_iter().collect());
            }
            cursor = next;
        }
    }

    pub(super) async fn set_many(&self, pairs: Vec<(String, Vec<u8>)>) -> Result<()> {
        if pairs.is_empty() {
            return Ok(());
        }
        let mut command = redis::cmd("MSET");
        for (key, value) in &pairs {
            command.arg(key).arg(value.as_slice());
        }
        self.write(&command).await.map_err(backend)
    }

    pub(super) async fn delete_many(&self, keys: Vec<String>) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        self.write(redis::cmd("DEL").arg(&keys)).await.map_err(backend)
    }

    pub(super) async fn increment(&self, key: &str, delta: i64) -> Result<i64> {
        match self.write(redis::cmd("INCRBY").arg(key).arg(delta)).await {
            Ok(sum) => Ok(sum),
            Err(error) if error.detail().is_some_and(|text| text.contains("overflow")) => {
                Err(Error::Overflow { key: key.to_owned(), delta })
            }
            Err(error) if error.kind() == redis::ErrorKind::Server(ServerErrorKind::ResponseError) => {
                let value = self.get(key).await?;
                Err(Error::NotACounter { key: key.to_owned(), bytes: value.map_or(0, |value| value.len()) })
            }
            Err(error) => Err(backend(error)),
        }
    }

    pub(super) async fn swap(&self, key: &str, expected: Option<Vec<u8>>, new: Vec<u8>) -> Result<bool> {
        let mut command = redis::cmd("EVAL");
        command.arg(SWAP).arg(1).arg(key);
        match &expected {
            Some(value) => command.arg("1").arg(value.as_slice()),
            None => command.arg("0").arg(""),
        };
        self.write(command.arg(new)).await.map_err(backend)
    }
}

fn backend(error: RedisError) -> Error {
    Error::Backend(error.to_string())
}
