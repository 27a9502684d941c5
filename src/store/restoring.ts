/** A file in a data directory in which a restore is under way, or was killed: what lies there is not whole. */
export const RESTORING = "restoring";
