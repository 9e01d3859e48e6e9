//! What AWS says when a task stops, what it means, and what to do.

/// The first fragment that occurs in the reason decides.
const ADVICE: &[(&str, &str)] = &[
    ("manifest unknown", "the image is not in the repository; push it, and look at the lifecycle policy"),
    (
        "does not contain descriptor matching platform",
        "the image is for another processor than the task; build it for task.architecture",
    ),
    (
        "CannotPullContainerError",
        "the image cannot be fetched; the task needs a public address, and port 443 open to the outside",
    ),
    ("did not contain json key", "the secret lacks a key that the task names; add it with `provision secrets set`"),
    ("no space left on device", "the image is larger than the task's disk"),
    (
        "unable to pull secrets or registry auth",
        "the execution role may not read the secret or the registry, or there is no way to them",
    ),
    ("failed to validate logger args", "the log group does not exist"),
    (
        "Failed to resolve",
        "the disk has no mount target in the task's zone, or one that is younger than 90 seconds; deploy again",
    ),
    ("Connection timed out", "the disk's security group does not let the service in on port 2049"),
    ("access denied by server while mounting", "the task's role may not mount this access point"),
    ("No such file or directory", "the access point's folder does not exist and may not be created"),
    ("OutOfMemoryError", "the container used more memory than task.memory_mib; raise it"),
    ("Task failed ELB health checks", "the load balancer got no 200 from /health/ready; see the log of the task"),
    ("failed container health checks", "`/app/app health` failed in the container; see the log of the task"),
    ("Spot Task was interrupted", "AWS took the capacity back; do not run a single task on Spot"),
    ("InsufficientFreeAddressesInSubnet", "the subnet has no free addresses"),
    ("Timeout waiting for network interface", "AWS was slow; deploy again"),
    ("Scaling activity initiated by", "an ordinary replacement"),
];

/// Says what a stop means; `None` when there is nothing to add.
pub(crate) fn advice(reason: &str, exit_code: Option<i32>) -> Option<&'static str> {
    let known = ADVICE.iter().find(|(fragment, _)| reason.contains(fragment)).map(|(_, advice)| *advice);
    known.or_else(|| of_exit_code(exit_code?))
}

fn of_exit_code(code: i32) -> Option<&'static str> {
    match code {
        0 => Some("the program ended by itself, although it should run for ever"),
        3 => Some("the service refused its settings; the last lines of its log say which"),
        137 => Some("it was killed: out of memory, or it took longer to stop than its stop timeout"),
        139 => Some("it crashed with a memory fault"),
        143 => Some("it was asked to stop, and did"),
        _ => Some("the program failed; the last lines of its log say why"),
    }
}

#[cfg(test)]
mod tests {
    use super::advice;

    #[test]
    fn what_aws_says_becomes_what_to_do() {
        let reason = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval \
                      failed: retrieved secret from Secrets Manager did not contain json key WXTECH_API_KEY";
        assert!(advice(reason, None).unwrap().contains("lacks a key"));
        assert!(advice("Essential container in task exited", Some(137)).unwrap().contains("memory"));
        assert_eq!(advice("something new", None), None);
    }
}
