//! How many requests one address and one caller may send.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpRequest, HttpResponse};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::burst::Bursts;
use super::request::origin;
use super::response;
use super::routes::sent;
use crate::access::Caller;
use crate::fhir::audit::{self, Actor, Event};
use crate::fhir::authority::Authority as _;
use crate::fhir::engine::Engine;
use crate::fhir::outcome::{Failure, Kind};

/// Requests a second; 0: any number.
#[derive(Clone, Copy, Debug, Default)]
pub struct RateLimits {
    pub address: u32,
    pub caller: u32,
    /// From one address, for tokens.
    pub auth: u32,
}

/// Whoever has been quiet is forgotten after so many questions.
const FORGET_EVERY: u32 = 100_000;

pub struct Rates {
    address: Limit<IpAddr>,
    auth: Limit<IpAddr>,
    caller: Limit<String>,
    /// Until when a caller waits who has sent more entries than requests that fit.
    owed: Mutex<HashMap<String, Instant>>,
    /// Of a caller, a second.
    caller_rate: u32,
    pub bursts: Bursts,
}

struct Limit<K: Clone + Eq + std::hash::Hash> {
    /// `None`: any number.
    limiter: Option<DefaultKeyedRateLimiter<K>>,
    asked: AtomicU32,
    clock: DefaultClock,
}

/// Seconds until the next request will be let in.
#[derive(Clone, Copy, Debug)]
pub struct Wait(u64);

impl Rates {
    pub fn new(limits: RateLimits) -> Self {
        Self {
            address: Limit::new(limits.address),
            auth: Limit::new(limits.auth),
            caller: Limit::new(limits.caller),
            owed: Mutex::default(),
            caller_rate: limits.caller,
            bursts: Bursts::default(),
        }
    }

    /// The refusal, once it is recorded.
    pub async fn refuse(
        &self,
        engine: &Engine,
        wait: Wait,
        sender: &str,
        actor: Actor,
        sent: String,
    ) -> HttpResponse {
        let event = Event::refused(sent, Kind::TooMany.status());
        match self.bursts.refused(engine, sender, actor, event).await {
            Ok(()) => refusal(wait),
            Err(failure) => response::write("", failure.into()),
        }
    }

    /// `identity` tells the caller from all others.
    pub fn caller(&self, identity: &str) -> Result<(), Wait> {
        let now = Instant::now();
        if let Some(until) = self.owed().get(identity).filter(|until| **until > now) {
            return Err(Wait(until.duration_since(now).as_secs() + 1));
        }
        self.caller.ask(|| identity.to_owned())
    }

    /// The entries of a bundle cost like requests. The bundle is let in; what does not
    /// fit into the caller's rate is waited for before the next request.
    pub fn charge_entries(&self, identity: &str, entries: usize) {
        let entries = u32::try_from(entries).unwrap_or(u32::MAX);
        let (Some(entries), Some(rate)) =
            (NonZeroU32::new(entries), NonZeroU32::new(self.caller_rate))
        else {
            return;
        };
        if self.caller.take(&identity.to_owned(), entries) {
            return;
        }
        let now = Instant::now();
        let seconds = f64::from(entries.get()) / f64::from(rate.get());
        let mut owed = self.owed();
        owed.retain(|_, until| *until > now);
        let until = owed.entry(identity.to_owned()).or_insert(now);
        *until += Duration::from_secs_f64(seconds);
    }

    fn owed(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Clone + Eq + std::hash::Hash> Limit<K> {
    fn new(rate: u32) -> Self {
        // A burst of two seconds, so that a page that asks for much at once works.
        let quota = NonZeroU32::new(rate)
            .map(|rate| Quota::per_second(rate).allow_burst(rate.saturating_mul(TWO)));
        Self {
            limiter: quota.map(RateLimiter::keyed),
            asked: AtomicU32::new(0),
            clock: DefaultClock::default(),
        }
    }

    /// So many at once, all or none.
    fn take(&self, key: &K, number: NonZeroU32) -> bool {
        match &self.limiter {
            None => true,
            Some(limiter) => matches!(limiter.check_key_n(key, number), Ok(Ok(()))),
        }
    }

    fn ask(&self, key: impl FnOnce() -> K) -> Result<(), Wait> {
        let Some(limiter) = &self.limiter else {
            return Ok(());
        };
        if self.asked.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            limiter.retain_recent();
        }
        limiter
            .check_key(&key())
            .map_err(|until| Wait(until.wait_time_from(self.clock.now()).as_secs() + 1))
    }
}

const TWO: NonZeroU32 = NonZeroU32::new(2).expect("2 is not 0");

/// For `middleware::from_fn`: before anything of the request is looked at.
pub async fn by_address<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let rates = request.app_data::<Data<Rates>>();
    let address = request.peer_addr().map(|peer| network(peer.ip()));
    let path = request.path();
    let asked = match (rates, address) {
        // An orchestrator's questions must not fail because clients ask much.
        (Some(rates), Some(address)) if !path.starts_with("/health/") => {
            let all = rates.address.ask(|| address);
            match path.starts_with("/auth/") {
                true => all.and_then(|()| rates.auth.ask(|| address)),
                false => all,
            }
        }
        _ => Ok(()),
    };
    let Err(wait) = asked else {
        return Ok(next.call(request).await?.map_into_left_body());
    };
    let refused = match (rates, request.app_data::<Data<Engine>>()) {
        (Some(rates), Some(engine)) => {
            let sender = sender(address);
            let actor = Caller::nobody().at(origin(request.request())).actor();
            let sent = sent(request.request());
            rates.refuse(engine, wait, &sender, actor, sent).await
        }
        _ => refusal(wait),
    };
    Ok(request.into_response(refused).map_into_right_body())
}

/// Records that no token of the request counts. Those of the same address that
/// come within a minute of it are a number.
pub async fn record_unproven(
    http: &HttpRequest,
    engine: &Engine,
    actor: Actor,
    event: Event,
) -> Result<(), Failure> {
    let Some(rates) = http.app_data::<Data<Rates>>() else {
        return audit::record(engine, &actor, &[event]).await;
    };
    let address = http.peer_addr().map(|peer| network(peer.ip()));
    let sender = sender(address);
    rates.bursts.refused(engine, &sender, actor, event).await
}

fn sender(address: Option<IpAddr>) -> String {
    let address = address.map(|address| address.to_string());
    format!("address {}", address.unwrap_or_default())
}

/// Whoever has one address of IPv6 has 2^64 of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
    }
}

fn refusal(Wait(seconds): Wait) -> HttpResponse {
    let text = format!("Too many requests. Try again in {seconds} s, and not all at once.");
    let mut response = response::write("", Failure::new(Kind::TooMany, text).into());
    let value = header::HeaderValue::from(seconds);
    response.headers_mut().insert(header::RETRY_AFTER, value);
    response
}
