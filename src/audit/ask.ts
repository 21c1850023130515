import type { DuckDBConnection } from "@duckdb/node-api";

/** Answers questions in SQL over a trail's files. */
export interface TrailDatabase {
  /** Column names and rows, values as JSON has them. @throws when the question is wrong, in the database's words */
  rows(sql: string): Promise<{ readonly columns: readonly string[]; readonly rows: readonly (readonly unknown[])[] }>;
  /** Writes an answer to a file. */
  write(sql: string, file: string, format: "csv" | "json" | "parquet"): Promise<void>;
  /** Whole lines that are no JSON: none in a trail that `verify` finds right. */
  unreadable(file: string): Promise<number>;
  close(): void;
}

/** A rule of the policies, for questions about rules. Times are RFC 3339. */
export interface KnownRule {
  readonly id: string;
  readonly effect: string;
  readonly owner: string;
  readonly ticket: string | null;
  readonly expires: string | null;
  readonly place: string;
}

/** What a line may hold: only columns that a question names are read at all. */
const LINE = `{time: 'TIMESTAMPTZ', event: 'VARCHAR', id: 'VARCHAR', seq: 'BIGINT', revision: 'VARCHAR', seat: 'VARCHAR',
  subject: 'STRUCT(spiffeId VARCHAR, namespace VARCHAR, serviceAccount VARCHAR)',
  target: 'STRUCT(host VARCHAR, port VARCHAR, protocol VARCHAR, "method" VARCHAR, path VARCHAR)',
  effect: 'VARCHAR', shadow: 'VARCHAR', reason: 'VARCHAR', rules: 'VARCHAR[]', shadowRules: 'VARCHAR[]',
  owner: 'VARCHAR', ticket: 'VARCHAR', cacheHit: 'BOOLEAN', requestId: 'VARCHAR', traceId: 'VARCHAR', gateway: 'VARCHAR',
  latencyUs: 'BIGINT', headers: 'MAP(VARCHAR, VARCHAR)'}`;

/** The table of decisions: the fields of a record under flat names. */
const DECISIONS = `CREATE VIEW decisions AS SELECT time, id, seq, revision, seat, subject.spiffeId AS workload,
  subject.namespace AS namespace, subject.serviceAccount AS service_account, target.host AS host, target.port AS port,
  target.protocol AS protocol, target."method" AS "method", target.path AS path, effect, shadow, reason, rules,
  shadowRules AS shadow_rules, owner, ticket, cacheHit AS cache_hit, requestId AS request_id, traceId AS trace_id, gateway,
  latencyUs AS latency_us, headers FROM lines WHERE effect IS NOT NULL`;

/** The package that answers, by a name that is only looked up when it is wanted. */
const PACKAGE = "@duckdb/node-api";

/** Says that the optional package is not installed. */
export class NoDatabase extends Error {
  constructor() {
    super(`asking needs the optional package ${PACKAGE}, which is not installed here`);
  }
}

/** Opens a database in memory over the files. @throws NoDatabase, or when a file cannot be read */
export async function openTrailDatabase(
  files: readonly string[],
  rules: readonly KnownRule[],
  /** Only decisions from then on, in milliseconds. */
  sinceMs: number | null,
): Promise<TrailDatabase> {
  const { DuckDBInstance } = await import("@duckdb/node-api").catch(() => {
    throw new NoDatabase();
  });
  const instance = await DuckDBInstance.create(":memory:", {
    // Nothing is fetched from anywhere.
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  const since = sinceMs === null ? "" : ` WHERE time >= TIMESTAMPTZ ${quoted(new Date(sinceMs).toISOString())}`;
  const list = `[${files.map(quoted).join(", ")}]`;
  await connection.run(
    `CREATE VIEW lines AS SELECT * FROM read_ndjson(${list}, columns = ${LINE}, ignore_errors = true)${since}`,
  );
  await connection.run(DECISIONS);
  await fillRules(connection, rules);

  return {
    async rows(sql) {
      const reader = await connection.runAndReadAll(sql);
      return { columns: reader.columnNames(), rows: reader.getRowsJson() };
    },
    async write(sql, file, format) {
      const options = { csv: "FORMAT csv, HEADER", json: "FORMAT json, ARRAY true", parquet: "FORMAT parquet" }[format];
      await connection.run(`COPY (${sql.replace(/;\s*$/, "")}) TO ${quoted(file)} (${options})`);
    },
    async unreadable(file) {
      const sql = `SELECT count(*) FROM read_ndjson(${quoted(file)}, columns = {event: 'VARCHAR', effect: 'VARCHAR'},
        ignore_errors = true) WHERE event IS NULL AND effect IS NULL`;
      return Number((await connection.runAndReadAll(sql)).getRowsJson()[0]?.[0] ?? 0);
    },
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

async function fillRules(connection: DuckDBConnection, rules: readonly KnownRule[]): Promise<void> {
  await connection.run(
    `CREATE TABLE policy_rules (rule VARCHAR, effect VARCHAR, owner VARCHAR, ticket VARCHAR, expires TIMESTAMPTZ, place VARCHAR)`,
  );
  for (let at = 0; at < rules.length; at += 500) {
    const rows = rules.slice(at, at + 500).map(({ id, effect, owner, ticket, expires, place }) => {
      return `(${[id, effect, owner, ticket, expires, place].map((each) => (each === null ? "NULL" : quoted(each))).join(", ")})`;
    });
    await connection.run(`INSERT INTO policy_rules VALUES ${rows.join(", ")}`);
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
