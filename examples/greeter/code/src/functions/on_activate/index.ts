export default async function run() {
  console.log("activated");
  return {};
}
