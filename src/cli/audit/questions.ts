/** A question that need not be written in SQL. */
export interface Question {
  readonly name: string;
  readonly summary: string;
  /** Asks about rules that may not be in the trail at all: needs `--policies`. */
  readonly needsPolicies: boolean;
  /** Asks about a time and what was before it: needs `--since`, and reads the whole trail. */
  readonly needsSince: boolean;
  sql(options: { readonly since: string; readonly limit: number }): string;
}

const COUNTS = `count(*) FILTER (effect = 'allow') AS allowed, count(*) FILTER (effect = 'deny') AS denied`;
const LAST = "max(time) AS last_seen";

function question(name: string, summary: string, sql: Question["sql"], needs: Partial<Question> = {}): Question {
  return { name, summary, sql, needsPolicies: false, needsSince: false, ...needs };
}

/** The ready questions, by the names they are asked with. */
export const QUESTIONS: readonly Question[] = [
  question(
    "top-denied",
    "what is denied most, to whom and why",
    ({
      limit,
    }) => `SELECT workload, host, port, reason, count(*) AS denied, ${LAST} FROM decisions WHERE effect = 'deny'
      GROUP BY ALL ORDER BY denied DESC, workload, host, port LIMIT ${limit}`,
  ),
  question(
    "by-workload",
    "how much each workload asked for",
    ({ limit }) => `SELECT workload, ${COUNTS}, count(DISTINCT host) AS hosts, ${LAST} FROM decisions
      GROUP BY workload ORDER BY count(*) DESC, workload LIMIT ${limit}`,
  ),
  question(
    "by-host",
    "how much was asked of each host",
    ({ limit }) => `SELECT host, port, ${COUNTS}, count(DISTINCT workload) AS workloads, ${LAST} FROM decisions
      GROUP BY host, port ORDER BY count(*) DESC, host, port LIMIT ${limit}`,
  ),
  question(
    "new-destinations",
    "hosts that a workload reached for the first time since --since",
    ({ since, limit }) => `SELECT workload, host, port, min(time) AS first_seen, ${COUNTS} FROM decisions
      GROUP BY workload, host, port HAVING min(time) >= TIMESTAMPTZ '${since}' ORDER BY first_seen, workload, host LIMIT ${limit}`,
    { needsSince: true },
  ),
  question(
    "would-deny",
    "what was allowed and would be denied if report mode were enforced",
    ({ limit }) => `SELECT workload, host, port, rules, shadow_rules, count(*) AS requests, ${LAST} FROM decisions
      WHERE effect = 'allow' AND shadow = 'deny' GROUP BY ALL ORDER BY requests DESC, workload, host LIMIT ${limit}`,
  ),
  question(
    "unused-rules",
    "rules of the policies that decided nothing",
    ({ limit }) => `SELECT rule, effect, owner, place FROM policy_rules WHERE rule NOT IN
      (SELECT unnest(rules) FROM decisions UNION SELECT unnest(shadow_rules) FROM decisions) ORDER BY rule LIMIT ${limit}`,
    { needsPolicies: true },
  ),
  question(
    "exceptions",
    "rules that expire, when, and how much they were used",
    ({ limit }) => `SELECT expires, rule, p.owner, p.ticket, count(used) AS requests, max(time) AS last_used, place
      FROM policy_rules p LEFT JOIN (SELECT unnest(rules) AS used, time FROM decisions) ON used = rule
      WHERE expires IS NOT NULL GROUP BY ALL ORDER BY expires, rule LIMIT ${limit}`,
    { needsPolicies: true },
  ),
  question(
    "latency",
    "microseconds that deciding took, with and without the cache",
    () => `SELECT cache_hit, count(*) AS decisions, round(avg(latency_us), 1) AS mean_us,
      quantile_disc(latency_us, 0.5) AS p50_us, quantile_disc(latency_us, 0.95) AS p95_us,
      quantile_disc(latency_us, 0.99) AS p99_us, max(latency_us) AS max_us FROM decisions GROUP BY cache_hit ORDER BY cache_hit`,
  ),
];
