//! Appointments of the programme. Read in this order: `booking` (what an
//! Appointment says), `status` (which follows which), `companion` (who has to be
//! there), `calendar` (whose time is taken), `watch` (all of it on every write).

pub mod booking;
pub mod calendar;
pub mod companion;
pub mod status;
mod watch;

pub use booking::Booking;
pub use watch::AppointmentWatch;
