//! The metrics that the service sends, and that alarms and the dashboard watch: both sides take the names from here.
//!
//! Each is a count or a sum since the last time, so that sums over tasks and time are right, and rates are made from
//! sums where they are shown. A name costs money each month, so there are as few as answer the questions.

/// What they are told apart by: the environment. Anything finer would be another metric for each of its values.
pub const DIMENSION: &str = "Environment";

/// Comments that were made.
pub const COMMENTS_MADE: &str = "CommentsMade";
/// Comments that could not be made although the question was right.
pub const COMMENTS_FAILED: &str = "CommentsFailed";
/// Forecasts that were found in memory.
pub const FOUND_IN_MEMORY: &str = "ForecastsFromMemory";
/// Forecasts that were found on the shared disk.
pub const FOUND_IN_FILE: &str = "ForecastsFromFile";
/// Forecasts that are those of a place nearby.
pub const FOUND_NEARBY: &str = "ForecastsFromNeighbour";
/// Forecasts that had to be asked for.
pub const FOUND_AT_SOURCE: &str = "ForecastsFromSource";
/// Questions to the weather service.
pub const WEATHER_CALLS: &str = "WeatherCalls";
/// Those of them without a usable answer.
pub const WEATHER_CALLS_FAILED: &str = "WeatherCallsFailed";
/// Questions to language models.
pub const MODEL_CALLS: &str = "ModelCalls";
/// Seconds that workers of a batch worked.
pub const WORK_SECONDS: &str = "WorkSeconds";
/// Seconds that they were there.
pub const WORKER_SECONDS: &str = "WorkerSeconds";

/// Those that are always there; [`MODEL_CALLS`] only where a language model is asked.
pub const ALWAYS: [&str; 10] = [
    COMMENTS_MADE,
    COMMENTS_FAILED,
    FOUND_IN_MEMORY,
    FOUND_IN_FILE,
    FOUND_NEARBY,
    FOUND_AT_SOURCE,
    WEATHER_CALLS,
    WEATHER_CALLS_FAILED,
    WORK_SECONDS,
    WORKER_SECONDS,
];
