//! `[service]` and `[scaling]`: how many tasks there are, and how they are replaced.

use serde::Serialize;

use crate::reader::Reader;

/// How many tasks, and how they are replaced.
#[derive(Clone, Debug, Serialize)]
pub struct Service {
    /// How many at the beginning; then scaling decides.
    pub desired_count: i32,
    /// How many must stay healthy while replacing.
    pub minimum_healthy_percent: i32,
    /// How many may run while replacing.
    pub maximum_percent: i32,
    /// How long failing health checks of a new task are ignored.
    pub health_check_grace_seconds: i32,
    /// Whether one may run commands in a running task.
    pub exec: bool,
    /// Whether ECS measures every task, for money.
    pub container_insights: bool,
}

impl Service {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            desired_count: reader.number("service.desired_count", 1..=50),
            minimum_healthy_percent: reader.number("service.minimum_healthy_percent", 0..=100),
            maximum_percent: reader.number("service.maximum_percent", 100..=200),
            health_check_grace_seconds: reader.number("service.health_check_grace_seconds", 0..=3600),
            exec: reader.flag_or("service.exec", false),
            container_insights: reader.flag_or("service.container_insights", false),
        }
    }

    pub(super) fn check_what_belongs_together(&self, reader: &mut Reader) {
        if self.minimum_healthy_percent == self.maximum_percent {
            let hint = "with 100/100 no task could ever be replaced; raise maximum_percent to 200";
            reader.problem("service.maximum_percent", "leaves no room for a new task", hint);
        }
    }
}

/// When there are more tasks.
#[derive(Clone, Debug, Serialize)]
pub struct Scaling {
    /// At least.
    pub min: i32,
    /// At most.
    pub max: i32,
    /// The average CPU utilisation that is aimed at.
    pub cpu_percent: u8,
    /// The average memory utilisation that is aimed at.
    pub memory_percent: u8,
}

impl Scaling {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            min: reader.number("scaling.min", 1..=50),
            max: reader.number("scaling.max", 1..=50),
            cpu_percent: reader.number("scaling.cpu_percent", 10..=95),
            memory_percent: reader.number("scaling.memory_percent", 10..=95),
        }
    }

    pub(super) fn check_what_belongs_together(&self, reader: &mut Reader) {
        let Self { min, max, .. } = *self;
        if min > max {
            reader.problem(
                "scaling.min",
                format_args!("{min} is more than scaling.max, {max}"),
                "lower it, or raise max",
            );
        }
    }
}
