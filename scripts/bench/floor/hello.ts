/** A child that says one thing and then listens: what a worker's start costs at least. */
process.on("disconnect", () => process.exit(0));
process.on("message", () => {});
process.send?.({ hello: true });
