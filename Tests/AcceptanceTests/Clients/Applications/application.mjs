// An application behind the client. Its requests carry the claims that it would have verified, in the field Claims.
import http from "node:http";
import { Revocations } from "./revocations.mjs";

const [url, mode, maxAge, failOpen, token] = process.argv.slice(2);
const revocations = new Revocations({
  url, mode, maxAge: Number(maxAge), failOpen: failOpen === "open", token: token || undefined });
await revocations.ready;

const guard = revocations.express((request) => JSON.parse(request.headers.claims));
const server = http.createServer((request, response) =>
  guard(request, response, () => response.end(`age=${revocations.age.toFixed(1)}\n`)));
server.listen(0, "127.0.0.1", () => console.log(`listening on 127.0.0.1:${server.address().port} `));
