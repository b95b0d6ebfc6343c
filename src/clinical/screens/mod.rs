//! Screens for suicidality, read in the same way wherever a judgement rests on
//! one. Read in this order: `answer` (what one value says), `suicidality` (what
//! an Observation or a Condition says).

mod answer;
mod suicidality;

pub use suicidality::{
    SuicideRiskLevel, SuicideScreenReading, TimedSuicideScreen, codes_of_suicide_screens,
    read_answered_screens, read_suicide_condition, read_suicide_screen, read_suicide_screens,
};
