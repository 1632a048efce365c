// What a web client does with the server, by the JavaScript SDK: the findings go to standard output as one line of JSON.
import { Client } from "@langchain/langgraph-sdk";

const [url, text, code] = process.argv.slice(2);
const client = new Client({ apiUrl: url, apiKey: null });
const input = { seed: { text } };
const context = { model: "scripted", verify: "annotate", transforms: "identity", categories_per_seed: 1, rounds: 1 };
const skill = "reading_comprehension";
const found = {};

const assistants = await client.assistants.search({ limit: 100 });
found.graphs = assistants.map((assistant) => assistant.graph_id).sort();
found.drawn = {};
for (const { assistant_id, graph_id } of assistants) {
  const [drawing, schemas] = await Promise.all([
    client.assistants.getGraph(assistant_id, { xray: true }),
    client.assistants.getSchemas(assistant_id),
  ]);
  found.drawn[graph_id] = {
    nodes: drawing.nodes.length,
    edges: drawing.edges.length,
    input: Object.keys(schemas.input_schema?.properties ?? {}),
    context: Object.keys(schemas.context_schema?.properties ?? {}).length,
  };
}

const done = await client.runs.wait(null, skill, { input, context });
found.waited = { records: done.records.length, last: done.records[0].messages.at(-1).role };

found.made = {};
const small = { model: "scripted", verify: "annotate", goals: "none", rounds: 0, categories_per_seed: 1 };
const ofCode = ["coding", "tool_use"];
await Promise.all(
  found.graphs.filter((name) => name !== "teacher").map(async (name) => {
    const seed = ofCode.includes(name) ? { text: code, modality: "code", language: "python" } : { text };
    const made = await client.runs.wait(null, name, { input: { seed }, context: small });
    found.made[name] = { records: made.records.length, dropped: made.dropped.map((one) => one.reason) };
  }),
);

const taught = await client.runs.wait(null, "teacher", {
  input: { documents: [{ text, source: "a page" }] },
  context: { model: "scripted", verify: "annotate", skills: "text_modification,fermi", most_seeds: 1, rounds: 0 },
});
found.taught = [...new Set(taught.records.map((record) => `${record.skill} of ${record.source}`))].sort();

found.modes = {};
const modes = ["values", "updates", "messages", "custom", "debug", "tasks", "checkpoints"];
for await (const part of client.runs.stream(null, skill, { input, context, streamMode: modes })) {
  const mode = part.event.split("/")[0];
  found.modes[mode] = (found.modes[mode] ?? 0) + 1;
}

const { thread_id: thread } = await client.threads.create();
await client.runs.wait(thread, skill, { input, context, interruptBefore: ["verify"] });
const halted = await client.threads.getState(thread);
found.halted = { next: halted.next, drafts: halted.values.drafts.length };
const kept = halted.values.drafts.slice(0, 1);
await client.threads.updateState(thread, { values: { drafts: kept }, asNode: "answer" });
const resumed = await client.runs.wait(thread, skill, { input: null, context });
found.resumed = { judged: resumed.records.length + resumed.dropped.filter((one) => one.stage === "verify").length };

const { thread_id: desk } = await client.threads.create();
await client.runs.wait(desk, skill, { input, context: { ...context, review: true } });
const [{ interrupts }] = (await client.threads.getState(desk)).tasks;
const [first, second, ...others] = interrupts[0].value.records;
const messages = first.messages.with(-1, { role: "assistant", content: "As a person put it." });
const resume = [
  { id: first.id, action: "edit", messages, reason: "clearer" },
  { id: second.id, action: "reject", reason: "too plain" },
  { id: "*", action: "accept" },
];
const reviewed = await client.runs.wait(desk, skill, { command: { resume }, context: { ...context, review: true } });
found.reviewed = {
  asked: others.length + 2,
  kept: reviewed.records.length,
  edited: reviewed.records.find((record) => record.id === first.id).messages.at(-1).content,
  rejected: reviewed.dropped.filter((one) => one.stage === "review").map((one) => `${one.reason}: ${one.detail}`),
};

const history = await client.threads.getHistory(thread, { limit: 50 });
const before = history.find((state) => state.next[0] === "instruct");
found.history = history.length;
const forked = await client.threads.updateState(thread, {
  values: { passage: { ...before.values.passage, text: `${before.values.passage.text} It snowed in Lisbon.` } },
  checkpoint: before.checkpoint,
});
await client.runs.wait(thread, skill, { input: null, context, checkpoint: forked.checkpoint });
const after = await client.threads.getState(thread);
found.forked = { passage: after.values.passage.text.slice(-20), drafts: after.values.drafts.length };

const hard = await client.assistants.create({ graphId: skill, name: "hard", context: { ...context, rounds: 0 } });
const flat = await client.runs.wait(null, hard.assistant_id, { input });
found.assistant = { refined: flat.drafts.filter((draft) => draft.parent).length, drafts: flat.drafts.length };
await client.assistants.delete(hard.assistant_id);

try {
  await client.runs.wait(null, skill, { input, context: { ...context, rounds: "many" } });
} catch (error) {
  found.refused = String(error);
}
console.log(JSON.stringify(found));
