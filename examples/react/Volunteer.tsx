import { join, type Contribution, type Run } from "@webnn/client";
import { useEffect, useState } from "react";

/** The run, once it is there; ended with the component. */
function useRun(api: string, name: string): { run: Run | null; trouble: string | null } {
  const [run, setRun] = useState<Run | null>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  useEffect(() => {
    const leaving = new AbortController();
    let joined: Run | null = null;
    join(api, name, { signal: leaving.signal }).then(
      (found) => {
        joined = found;
        setRun(found);
      },
      (error: Error) => leaving.signal.aborted || setTrouble(error.message),
    );
    return () => {
      leaving.abort();
      joined?.close();
    };
  }, [api, name]);
  return { run, trouble };
}

/** How many updates this machine has sent. */
function useSent(run: Run | null): number {
  const [sent, setSent] = useState(0);
  useEffect(() => run?.on("uploaded", () => setSent((before) => before + 1)), [run]);
  return sent;
}

export function Volunteer({ api, name }: { api: string; name: string }) {
  const { run, trouble } = useRun(api, name);
  const sent = useSent(run);
  const [contribution, setContribution] = useState<Contribution | null>(null);
  const [ended, setEnded] = useState<string | null>(null);

  if (trouble) return <p role="alert">{trouble}</p>;
  if (!run) return <p>Looking for the run…</p>;

  const start = () => {
    const started = run.contribute({ power: 50 });
    setContribution(started);
    started.finished.then(setEnded, (error: Error) => setEnded(error.message)).finally(() => setContribution(null));
  };
  return (
    <>
      <h1>{run.description.title}</h1>
      <p>{run.description.description}</p>
      {contribution ? (
        <button onClick={() => void contribution.stop()}>Stop</button>
      ) : (
        <button onClick={start}>Lend this machine</button>
      )}
      <p>{sent} updates sent from here</p>
      {ended && <p>{ended}</p>}
    </>
  );
}
