//! Booking over Schedule and Slot, in the style of Argonaut and IHE: `find` what
//! is free, `hold` it for a patient, `book` it, `cancel` it. A slot follows its
//! appointment in the same commit.
//! <https://profiles.ihe.net/ITI/Scheduling/>

mod arrange;
mod desk;
mod find;
mod hold;

pub use arrange::{ArrangeAppointment, BOOK, CANCEL};
pub use find::{FIND, FindAppointments};
pub use hold::{HOLD, HoldAppointment};
