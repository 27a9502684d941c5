/** Migrations are imported as text: `import sql from "….sql" with { type: "text" }`. */
declare module "*.sql" {
  const sql: string;
  export default sql;
}
