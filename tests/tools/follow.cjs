// Follows events with npm's EventSource: each opening and each event becomes a line of JSON.
const { EventSource } = require("eventsource");

const tell = (what) => process.stdout.write(JSON.stringify(what) + "\n");
const source = new EventSource(process.argv[2]);
source.onopen = () => tell({ opened: true });
source.onmessage = (event) => tell({ id: event.lastEventId, data: JSON.parse(event.data) });
