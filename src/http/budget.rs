//! Around every route: its budget, its deadline, and its share of the memory until
//! the last byte of the answer is sent.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use actix_web::Error;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data};

use super::response;
use super::routes::HttpLimits;
use crate::budget::{BudgetExceeded, RequestBudget, with_budget};
use crate::fhir::outcome::{Failure, Kind};

/// What is still done behind the deadline: saying so, and recording it.
const GRACE: Duration = Duration::from_secs(2);

/// For `middleware::from_fn`.
pub async fn bounded<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let budget = new_budget(&request);
    let answering = with_budget(budget.clone(), next.call(request));
    tokio::select! {
        answered = answering => {
            Ok(answered?.map_body(|_, body| {
                let held = HeldBody { body: body.boxed(), _budget: budget };
                BoxBody::new(held)
            }))
        }
        () = passed(&budget) => {
            let failure = deadline_failure(&budget);
            let response = response::write("", failure.into());
            Err(InternalError::from_response("the deadline has passed", response).into())
        }
    }
}

fn new_budget(request: &ServiceRequest) -> Arc<RequestBudget> {
    let limits = request.app_data::<Data<HttpLimits>>();
    let limits = limits.map_or_else(HttpLimits::default, |limits| limits.as_ref().clone());
    let budget = RequestBudget::new(limits.budget, limits.reserve);
    Arc::new(budget)
}

/// The deadline comes nearer once the content is there.
async fn passed(budget: &RequestBudget) {
    loop {
        let until = budget.deadline() + GRACE;
        if Instant::now() >= until {
            return;
        }
        let wait = until.saturating_duration_since(Instant::now());
        tokio::time::sleep(wait.min(Duration::from_millis(500))).await;
    }
}

/// Whose fault it is that the time is over: the question's, or the database's.
pub fn deadline_failure(budget: &RequestBudget) -> Failure {
    if budget.has_worked_most() {
        return BudgetExceeded::Time.into();
    }
    database_silent()
}

pub fn database_silent() -> Failure {
    Failure::new(
        Kind::Unavailable,
        "The database does not answer in time. Nothing is known to be written; try again.",
    )
}

/// Gives the memory back when it is dropped.
struct HeldBody {
    body: BoxBody,
    _budget: Arc<RequestBudget>,
}

impl MessageBody for HeldBody {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}
