// Runs an executable on the bare machine in a process of its own, as QEMU does, and passes on what it prints:
// `node run.ts ARCHITECTURE FILE [ENGINE]`. The last line on standard error is the VM's counters as JSON.

import { type Architecture, type EngineName, Vm } from '../../src/host/node/index.ts';

const [arch, file, engine] = process.argv.slice(2);
if (file === undefined) throw new Error('give an architecture and the file of a program');
await using vm = await Vm.create({
  arch: arch as Architecture,
  // The arm64 programs are images, as kernels are.
  machine: arch === 'riscv64' ? 'bare' : 'virt',
  kernel: file,
  memory: '128M',
  // A name that is none is an error of Vm.create.
  ...(engine !== undefined && { engine: engine as EngineName }),
});
const output = new Response(vm.console.readable).text();
vm.start();
process.stdout.write(await output);
const end = await vm.ended;
console.error(JSON.stringify(vm.stats()));
if (end.reason !== 'poweroff' || end.code !== 0) {
  console.error(end);
  process.exitCode = 1;
}
