//! The content of a request, read piece by piece under the limits: bytes after
//! decompression, time, and what all requests together may hold.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::dev::Decompress;
use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::StreamExt as _;

use crate::budget;
use crate::fhir::outcome::{Failure, Kind};

/// Bytes of unwanted content that are read and dropped, so that its sender receives
/// the answer.
const DISCARDED: usize = 1 << 20;
const DISCARDED_WITHIN: Duration = Duration::from_secs(2);

/// Reads at most `limit` bytes within the time. Then the request's own time begins.
pub async fn read_content(
    http: &HttpRequest,
    payload: Payload,
    within: Duration,
    limit: usize,
) -> Result<Bytes, Failure> {
    let budget = budget::current();
    if let Some(budget) = &budget {
        budget.restart_time(within);
    }
    let arrived = tokio::time::timeout(within, read_bounded(http, payload, limit)).await;
    let content = arrived.map_err(|_| {
        Failure::new(
            Kind::TooSlow,
            "The content did not arrive in time. Nothing was written; send it again, or in smaller parts.",
        )
    })??;
    if let Some(budget) = budget {
        budget.restart_time(Duration::ZERO);
    }
    Ok(content)
}

async fn read_bounded(
    http: &HttpRequest,
    payload: Payload,
    limit: usize,
) -> Result<Bytes, Failure> {
    let announced = http.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    let mut pieces = Decompress::from_headers(payload.into_inner(), http.headers());
    let mut content = BytesMut::new();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| unreadable())?;
        if content.len().saturating_add(piece.len()) > limit {
            return Err(too_large(limit));
        }
        budget::charge_bytes(u64::try_from(piece.len()).unwrap_or(u64::MAX))?;
        content.extend_from_slice(&piece);
    }
    Ok(content.freeze())
}

/// Takes content off the line that nobody wants, as it came.
pub async fn discard_content(payload: Payload) {
    let mut pieces = payload.into_inner();
    let discarding = async {
        let mut bytes = 0_usize;
        while let Some(Ok(piece)) = pieces.next().await {
            bytes = bytes.saturating_add(piece.len());
            if bytes > DISCARDED {
                break;
            }
        }
    };
    // Who is slower does not hear it.
    tokio::time::timeout(DISCARDED_WITHIN, discarding)
        .await
        .ok();
}

fn too_large(limit: usize) -> Failure {
    Failure::new(
        Kind::TooLarge,
        format!(
            "The content is larger than {limit} bytes. Split it, or ask the operator to raise UNLOOP_MAX_BODY_BYTES."
        ),
    )
}

fn unreadable() -> Failure {
    Failure::new(
        Kind::Structure,
        "The content could not be read: it ended early or its Content-Encoding does not fit.",
    )
}
