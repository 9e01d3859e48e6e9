//! What AWS says when something does not come up, what it means, and what to do.
//!
//! The sentences are in `catalogue`; here is only how they are found.

mod catalogue;

use std::time::Duration;

use self::catalogue::{EVENTS, EXITS, OTHER_EXIT, STOPS, TARGETS};

/// For how long after the beginning of a deployment a role may be too new to be known everywhere.
const ROLES_SETTLE: Duration = Duration::from_secs(120);

/// When an entry is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Age {
    /// Always.
    Any,
    /// While the roles of a deployment may still be too new.
    Young,
}

/// What one sentence of AWS's means.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// What occurs in the sentence, all of it.
    says: &'static [&'static str],
    age: Age,
    /// What it means, and what to do.
    advice: &'static str,
}

const fn entry(says: &'static [&'static str], advice: &'static str) -> Entry {
    Entry { says, age: Age::Any, advice }
}

fn find(entries: &[Entry], sentence: &str, since: Duration) -> Option<usize> {
    let is_young = since < ROLES_SETTLE;
    entries.iter().position(|entry| {
        (entry.age == Age::Any || is_young) && entry.says.iter().all(|fragment| sentence.contains(fragment))
    })
}

/// Says what a stop means; `None` when there is nothing to add.
pub(crate) fn advice(reason: &str, exit_code: Option<i32>) -> Option<&'static str> {
    let known = find(STOPS, reason, Duration::MAX).map(|index| STOPS[index].advice);
    known.or_else(|| Some(of_exit_code(exit_code?)))
}

fn of_exit_code(code: i32) -> &'static str {
    EXITS.iter().find(|(known, _)| *known == code).map_or(OTHER_EXIT, |(_, advice)| advice)
}

/// Says what an event of a service means that came so long after its deployment began.
pub(crate) fn of_event(message: &str, since: Duration) -> Option<&'static str> {
    find(EVENTS, message, since).map(|index| EVENTS[index].advice)
}

/// Says what the code of a target's reason means.
pub(crate) fn of_target(code: &str) -> Option<&'static str> {
    find(TARGETS, code, Duration::MAX).map(|index| TARGETS[index].advice)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use aws_sdk_elasticloadbalancingv2::types::TargetHealthReasonEnum;

    use super::*;

    const PULL: &str = "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref \
                        123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/wcg/staging@sha256:0f: ";
    const SECRETS: &str = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource \
                           retrieval failed: unable to retrieve secret from asm: service call has been retried 5 time(s): ";
    const AUTH: &str = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource \
                        retrieval failed: unable to retrieve ecr registry auth: service call has been retried 3 time(s): ";
    const LOGGER: &str = "ResourceInitializationError: failed to validate logger args: ";
    const DISK: &str =
        "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: ";
    const DENIED: &str = "AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/wcg-execution/5d is not \
                          authorized to perform: ";

    /// Sentences as AWS writes them, in the order of the catalogue, with a part of what they mean.
    fn stops() -> Vec<(String, &'static str)> {
        let pull = |end: &str, means| (format!("{PULL}{end}"), means);
        let secrets = |end: &str, means| (format!("{SECRETS}{end}"), means);
        let logger = |end: &str, means| (format!("{LOGGER}{end}"), means);
        let disk = |end: &str, means| (format!("{DISK}{end}"), means);
        let plain = |text: &str, means| (text.to_owned(), means);
        let stream = "create_stream has been retried 1 times: failed to create Cloudwatch log stream: ";
        let mount = "b'mount.nfs4: ";
        vec![
            (
                "CannotPullContainerError: pull image manifest has been retried 1 time(s): image Manifest does not \
                 contain descriptor matching platform 'linux/amd64'"
                    .to_owned(),
                "for another processor",
            ),
            (
                "CannotPullContainerError: ref pull has been retried 1 time(s): failed to extract layer sha256:0f: write \
                 /var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/1: no space left on device"
                    .to_owned(),
                "does not fit",
            ),
            pull("manifest unknown: Requested image not found", "`images.keep` newer ones"),
            pull(
                "name unknown: The repository with name 'wcg/staging' does not exist in the registry with id '123456789012'",
                "the repository is gone",
            ),
            pull("unexpected status from HEAD request to https://api.ecr: 403 Forbidden", "may not pull"),
            pull("failed to do request: Head \"https://api.ecr\": dial tcp 52.119.1.1:443: i/o timeout", "no way from"),
            (
                "CannotPullContainerError: ref pull has been retried 1 time(s): failed to copy: httpReaderSeeker: failed \
                 open: failed to do request: Get \"https://prod-ap-northeast-1-starport-layer-bucket.s3\": EOF"
                    .to_owned(),
                "which are in S3",
            ),
            pull("123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/wcg/staging@sha256:0f: not found", "this digest"),
            pull("unexpected status 500 Internal Server Error", "cannot be fetched"),
            logger(
                &format!("{stream}ResourceNotFoundException: The specified log group does not exist."),
                "log group was deleted",
            ),
            logger("awslogs-region is required", "does not name the log's region"),
            logger(&format!("{stream}{DENIED}logs:CreateLogStream"), "may not write the log"),
            logger(&format!("{stream}RequestError: send request failed"), "cannot be reached"),
            secrets(
                "failed to fetch secret arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:wcg/staging/api-keys-AbCdEf \
                 from secrets manager: retrieved secret from Secrets Manager did not contain json key WXTECH_API_KEY",
                "lacks a key",
            ),
            secrets("invalid character 'k' looking for beginning of value", "is not JSON"),
            secrets(
                "failed to fetch secret arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:wcg from secrets manager: \
                 ResourceNotFoundException: Secrets Manager can't find the specified secret.",
                "the secret is gone",
            ),
            secrets("AccessDeniedException: Access to KMS is not allowed status code: 400", "kms:Decrypt"),
            (format!("{AUTH}{DENIED}ecr:GetAuthorizationToken on resource: *"), "sign in to the registry"),
            secrets(&format!("{DENIED}secretsmanager:GetSecretValue on resource: arn"), "may not read the secret"),
            secrets("RequestCanceled: request context canceled caused by: context deadline exceeded", "no way from"),
            (
                format!("{AUTH}RequestError: send request failed caused by: Post \"https://api.ecr\": dial tcp: i/o timeout"),
                "no connection",
            ),
            secrets("ThrottlingException: Rate exceeded", "could not fetch its secret"),
            disk(
                "Failed to resolve \"fs-0123456789abcdef0.efs.ap-northeast-1.amazonaws.com\" - check that your file system \
                 ID is correct, and ensure that the VPC has an EFS mount target for this file system ID.",
                "younger than 90 seconds",
            ),
            disk(&format!("{mount}Connection timed out'"), "port 2049"),
            disk(&format!("{mount}Connection reset by peer'"), "still settling"),
            disk(&format!("{mount}access denied by server while mounting 127.0.0.1:/'"), "refuses the task"),
            disk(
                &format!("{mount}mounting fs-0123456789abcdef0.efs.ap-northeast-1.amazonaws.com:/cache failed, reason given \
                          by server: No such file or directory'"),
                "folder does not exist",
            ),
            disk("b'Could not start amazon-efs-mount-watchdog'", "cannot be mounted"),
            plain("Timeout waiting for network interface provisioning to complete.", "network interface"),
            plain(
                "Unexpected EC2 error while attempting to Create Network Interface with public IP assignment enabled in \
                 subnet 'subnet-0123': InsufficientFreeAddressesInSubnet",
                "no free addresses",
            ),
            plain("OutOfMemoryError: Container killed due to memory usage", "`task.memory_mib`; raise it"),
            plain("exec /app/app: exec format error", "the program is for another processor"),
            plain(
                "Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:\
                 targetgroup/wcg-staging-page-abc123/0123456789abcdef)",
                "no 200 from /health/ready",
            ),
            plain("Task failed container health checks", "`/app/app health` failed"),
            plain("Your Spot Task was interrupted.", "took the capacity back"),
            plain("Scaling activity initiated by (deployment ecs-svc/0123456789012345678)", "ordinary replacement"),
        ]
    }

    /// Every entry has its sentence, and no entry before it takes that sentence away.
    fn each_has_its_own(entries: &[Entry], sentences: &[(String, Duration, &str)]) {
        assert_eq!(sentences.len(), entries.len());
        for (index, (sentence, since, means)) in sentences.iter().enumerate() {
            let found = find(entries, sentence, *since);
            let what = found.map(|found| entries[found].advice);
            assert!(what.is_some_and(|advice| advice.contains(means)), "{sentence}\n-> {what:?}\nnot {means:?}");
            assert_eq!(found, Some(index), "{sentence}\n-> {what:?}");
        }
        let advice: BTreeSet<_> = entries.iter().map(|entry| entry.advice).collect();
        assert_eq!(advice.len(), entries.len(), "two entries say the same");
    }

    #[test]
    fn every_reason_why_a_task_stops_has_its_own_advice() {
        let stops: Vec<_> = stops().into_iter().map(|(text, means)| (text, Duration::MAX, means)).collect();
        each_has_its_own(STOPS, &stops);
        assert_eq!(advice("something new", None), None);
    }

    #[test]
    fn an_essential_container_is_explained_by_its_exit_code_unless_aws_says_more() {
        let exited = "Essential container in task exited";
        for (code, means) in [
            (0, "ended by itself"),
            (1, "the program failed"),
            (3, "refused its settings"),
            (137, "was killed"),
            (139, "memory fault"),
            (143, "asked to stop"),
        ] {
            assert!(advice(exited, Some(code)).unwrap().contains(means), "{code}");
        }
        let memory = format!("{exited}; OutOfMemoryError: Container killed due to memory usage");
        assert!(advice(&memory, Some(137)).unwrap().contains("raise it"));
    }

    #[test]
    fn every_event_of_the_scheduler_has_its_own_advice() {
        let late = Duration::from_secs(121);
        let service = "(service wcg-staging-service) ";
        let place = "was unable to place a task. Reason: ";
        let role = "failed to launch a task with (error ECS was unable to assume the role \
                    'arn:aws:iam::123456789012:role/provision/wcg/staging/wcg-staging-execution' that was provided for this \
                    task. Please verify that the role being passed has the proper trust relationship and permissions and \
                    that your IAM user has permissions to pass this role.).";
        let unwell = "(port 8501) is unhealthy in (target-group arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:\
                      targetgroup/wcg-staging-page-abc123/0123456789abcdef) due to (reason ";
        let events = [
            (
                format!("{place}You've reached the limit on the number of vCPUs you can run concurrently."),
                late,
                "vCPUs",
            ),
            (format!("{place}Capacity is unavailable at this time. Please try again later."), late, "no room"),
            (format!("{place}InsufficientFreeAddressesInSubnet."), late, "no free addresses"),
            (format!("{place}RESOURCE:ENI."), late, "found no place"),
            (role.to_owned(), Duration::from_secs(119), "not known everywhere yet"),
            (role.to_owned(), Duration::from_secs(120), "does not trust ecs-tasks.amazonaws.com"),
            (format!("{unwell}Request timed out)."), late, "too slow"),
            (format!("{unwell}Health checks failed with these codes: [503])."), late, "but not with 200"),
            (
                format!("{unwell}Target is in an Availability Zone that is not enabled for the load balancer)."),
                late,
                "a zone that",
            ),
            (format!("{unwell}Health checks failed)."), late, "nothing answers"),
        ];
        each_has_its_own(EVENTS, &events.map(|(text, since, means)| (format!("{service}{text}"), since, means)));
        assert_eq!(of_event("(service wcg) has reached a steady state.", late), None);
    }

    #[test]
    fn every_code_that_aws_has_for_a_target_has_its_own_advice() {
        let ours: BTreeSet<_> = TARGETS.iter().flat_map(|entry| entry.says).copied().collect();
        let aws: BTreeSet<_> = TargetHealthReasonEnum::values().iter().copied().collect();
        assert_eq!(ours, aws);
        let advice: BTreeSet<_> = aws.iter().map(|code| of_target(code).unwrap()).collect();
        assert_eq!(advice.len(), aws.len(), "two codes say the same");
    }
}
