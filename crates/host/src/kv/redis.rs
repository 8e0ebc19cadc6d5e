//! The Redis back end.
//!
//! Keys are used as they are and the label is ignored, as Spin does, so that both can share a database; two labels of
//! one database therefore see each other's keys. One multiplexed connection serves everything and is renewed when it
//! breaks; an operation that was under way when it broke fails, because whether it happened is unknown.

use std::collections::BTreeSet;
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, FromRedisValue, RedisError, ServerErrorKind};

use super::{Error, Result};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);

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
    /// Connects; fails if the server does not answer now.
    pub(super) async fn connect(url: &str) -> std::result::Result<Self, RedisError> {
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT))
            .set_number_of_retries(3)
            .set_max_delay(Duration::from_secs(1));
        let connection = ConnectionManager::new_with_config(Client::open(url)?, config).await?;
        Ok(Self { connection })
    }

    async fn query<T: FromRedisValue>(&self, command: &redis::Cmd) -> Result<T> {
        self.query_raw(command).await.map_err(|error| Error::Backend(error.to_string()))
    }

    async fn query_raw<T: FromRedisValue>(&self, command: &redis::Cmd) -> std::result::Result<T, RedisError> {
        command.query_async(&mut self.connection.clone()).await
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.query(redis::cmd("GET").arg(key)).await
    }

    pub(super) async fn exists(&self, key: &str) -> Result<bool> {
        self.query(redis::cmd("EXISTS").arg(key)).await
    }

    pub(super) async fn get_many(&self, keys: Vec<String>) -> Result<Vec<(String, Option<Vec<u8>>)>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let values: Vec<Option<Vec<u8>>> = self.query(redis::cmd("MGET").arg(&keys)).await?;
        Ok(keys.into_iter().zip(values).collect())
    }

    /// `SCAN` may repeat keys; the set removes the repetitions.
    pub(super) async fn keys(&self) -> Result<Vec<String>> {
        let mut keys = BTreeSet::new();
        let mut cursor = 0_u64;
        loop {
            let (next, page): (u64, Vec<String>) =
                self.query(redis::cmd("SCAN").arg(cursor).arg("COUNT").arg(SCAN_COUNT)).await?;
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
        self.query(&command).await
    }

    pub(super) async fn delete_many(&self, keys: Vec<String>) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        self.query(redis::cmd("DEL").arg(&keys)).await
    }

    pub(super) async fn increment(&self, key: &str, delta: i64) -> Result<i64> {
        match self.query_raw(redis::cmd("INCRBY").arg(key).arg(delta)).await {
            Ok(sum) => Ok(sum),
            Err(error) if error.detail().is_some_and(|text| text.contains("overflow")) => {
                Err(Error::Overflow { key: key.to_owned(), delta })
            }
            Err(error) if error.kind() == redis::ErrorKind::Server(ServerErrorKind::ResponseError) => {
                let value = self.get(key).await?;
                Err(Error::NotACounter { key: key.to_owned(), bytes: value.map_or(0, |value| value.len()) })
            }
            Err(error) => Err(Error::Backend(error.to_string())),
        }
    }

    pub(super) async fn swap(&self, key: &str, expected: Option<Vec<u8>>, new: Vec<u8>) -> Result<bool> {
        let mut command = redis::cmd("EVAL");
        command.arg(SWAP).arg(1).arg(key);
        match &expected {
            Some(value) => command.arg("1").arg(value.as_slice()),
            None => command.arg("0").arg(""),
        };
        self.query(command.arg(new)).await
    }
}
