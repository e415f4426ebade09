//===-- Translate.cpp - Device kernels for the emulator -----------------------------------------------------===//
#include "Translate.h"
#include "compiler/Target.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/AsmParser/Parser.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/ReplaceConstant.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Support/SourceMgr.h"

using namespace llvm;

namespace torsh::emulator {
namespace {

std::optional<Operation> operationOf(StringRef intrinsic) {
  return StringSwitch<std::optional<Operation>>(intrinsic)
      .Case("llvm.nvvm.read.ptx.sreg.tid.x", Operation::ThreadNumber)
      .Case("llvm.nvvm.read.ptx.sreg.ctaid.x", Operation::BlockNumber)
      .Case("llvm.nvvm.barrier.cta.sync.aligned.all", Operation::Barrier)
      .Case("llvm.nvvm.shfl.sync.bfly.f32", Operation::ShuffleXor)
      .Case("llvm.nvvm.cp.async.cg.shared.global.16.s", Operation::CopyAsync)
      .Case("llvm.nvvm.cp.async.commit.group", Operation::CommitCopies)
      .Case("llvm.nvvm.cp.async.wait.group", Operation::WaitCopies)
      .Case("llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.b16.p3", Operation::LoadMatrices)
      .Case("llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.trans.b16.p3", Operation::LoadMatricesTransposed)
      .Case("llvm.nvvm.mma.m16n8k16.row.col.f32.f32", Operation::MultiplyF16)
      .Case("llvm.nvvm.mma.m16n8k16.row.col.bf16", Operation::MultiplyBF16)
      .Case("llvm.nvvm.mma.m16n8k8.row.col.tf32", Operation::MultiplyTF32)
      .Case("llvm.nvvm.f2tf32.rna", Operation::RoundToTF32)
      .Default(std::nullopt);
}

class Translator {
public:
  explicit Translator(Module &module) : module(module), b(module.getContext()) {
    Type *none = b.getVoidTy(), *i32 = b.getInt32Ty();
    PointerType *pointer = b.getPtrTy();
    machineCall = module.getOrInsertFunction("torsh_emulator_call", none, i32, pointer, pointer);
    machineAccess = module.getOrInsertFunction("torsh_emulator_access", none, pointer, i32, i32);
    machineShared = module.getOrInsertFunction("torsh_emulator_shared", pointer, i32, b.getInt64Ty());
  }

  Error run() {
    replaceSharedMemory();
    SmallVector<Function *> kernels;
    for (Function &function : module)
      if (!function.isDeclaration())
        kernels.push_back(&function);
    for (Function *kernel : kernels) {
      if (Error error = rewrite(*kernel))
        return error;
      wrap(*kernel);
    }
    std::string text;
    raw_string_ostream os(text);
    if (verifyModule(module, &os))
      return createStringError("the translated kernel is no LLVM IR: " + text);
    return Error::success();
  }

private:
  AllocaInst *slot(Function &function, Type *type) {
    IRBuilder<> entry(&*function.getEntryBlock().getFirstInsertionPt());
    AllocaInst *slot = entry.CreateAlloca(type);
    slot->setAlignment(Align(16));
    return slot;
  }

  /// Each buffer of shared memory is asked of the machine at the begin of the function that uses it.
  void replaceSharedMemory() {
    uint32_t index = 0;
    for (GlobalVariable &global : llvm::make_early_inc_range(module.globals())) {
      if (global.getAddressSpace() != 3)
        continue;
      convertUsersOfConstantsToInstructions(&global);
      uint64_t bytes = module.getDataLayout().getTypeAllocSize(global.getValueType());
      DenseMap<Function *, Value *> pointers;
      for (Use &use : llvm::make_early_inc_range(global.uses())) {
        Function *function = cast<Instruction>(use.getUser())->getFunction();
        Value *&pointer = pointers[function];
        if (!pointer) {
          b.SetInsertPoint(&*function->getEntryBlock().getFirstInsertionPt());
          pointer = b.CreateAddrSpaceCast(b.CreateCall(machineShared, {b.getInt32(index), b.getInt64(bytes)}),
                                          global.getType());
        }
        use.set(pointer);
      }
      global.eraseFromParent();
      ++index;
    }
  }

  Error rewrite(Function &function) {
    SmallVector<Instruction *> all;
    for (Instruction &instruction : instructions(function))
      all.push_back(&instruction);
    for (Instruction *instruction : all) {
      if (auto *call = dyn_cast<CallInst>(instruction)) {
        Function *callee = call->getCalledFunction();
        if (!callee || !callee->getName().starts_with("llvm.nvvm."))
          continue;
        std::optional<Operation> operation = operationOf(callee->getName());
        if (!operation)
          return createStringError("the emulator does not know " + callee->getName());
        replace(function, *call, *operation);
      } else if (Value *pointer = getLoadStorePointerOperand(instruction)) {
        Value *object = getUnderlyingObject(pointer);
        if (isa<AllocaInst>(object) || isa<GlobalVariable>(object))
          continue;
        b.SetInsertPoint(instruction);
        uint64_t bytes = module.getDataLayout().getTypeStoreSize(getLoadStoreType(instruction));
        b.CreateCall(machineAccess, {b.CreateAddrSpaceCast(pointer, b.getPtrTy()), b.getInt32(bytes),
                                     b.getInt32(isa<StoreInst>(instruction))});
      }
    }
    return Error::success();
  }

  void replace(Function &function, CallInst &call, Operation operation) {
    Value *arguments = slot(function, ArrayType::get(b.getInt64Ty(), std::max<size_t>(1, call.arg_size())));
    bool hasResult = !call.getType()->isVoidTy();
    Value *result = hasResult ? static_cast<Value *>(slot(function, call.getType()))
                              : ConstantPointerNull::get(b.getPtrTy());
    b.SetInsertPoint(&call);
    for (auto [index, argument] : enumerate(call.args()))
      b.CreateStore(argument, b.CreateConstInBoundsGEP1_64(b.getInt64Ty(), arguments, index));
    b.CreateCall(machineCall, {b.getInt32(uint32_t(operation)), arguments, result});
    if (hasResult)
      call.replaceAllUsesWith(b.CreateLoad(call.getType(), result));
    call.eraseFromParent();
  }

  void wrap(Function &kernel) {
    auto *wrapper = Function::Create(FunctionType::get(b.getVoidTy(), {b.getPtrTy()}, false),
                                     GlobalValue::ExternalLinkage, kernel.getName() + "_emulated", module);
    b.SetInsertPoint(BasicBlock::Create(module.getContext(), "entry", wrapper));
    SmallVector<Value *> arguments;
    for (Argument &argument : kernel.args())
      arguments.push_back(
          b.CreateLoad(argument.getType(), b.CreateConstInBoundsGEP1_64(b.getInt64Ty(), wrapper->getArg(0),
                                                                        argument.getArgNo())));
    b.CreateCall(&kernel, arguments);
    b.CreateRetVoid();
    kernel.setCallingConv(CallingConv::C);
    kernel.setLinkage(GlobalValue::InternalLinkage);
    kernel.removeFnAttr("nvvm.maxntid");
  }

  Module &module;
  IRBuilder<> b;
  FunctionCallee machineCall, machineAccess, machineShared;
};

} // namespace

Error translate(Module &module) { return Translator(module).run(); }

KernelStore::KernelStore() {
  initializeTargets();
  jit = cantFail(orc::LLJITBuilder().create());
  orc::SymbolMap symbols;
  auto add = [&](const char *name, auto *function) {
    symbols[jit->mangleAndIntern(name)] = {orc::ExecutorAddr::fromPtr(function), JITSymbolFlags::Exported};
  };
  add("torsh_emulator_call", &torsh_emulator_call);
  add("torsh_emulator_access", &torsh_emulator_access);
  add("torsh_emulator_shared", &torsh_emulator_shared);
  cantFail(jit->getMainJITDylib().define(orc::absoluteSymbols(std::move(symbols))));
}

Error KernelStore::add(const std::string &name, StringRef text, const std::function<void(Module &)> &change) {
  LLVMContext context;
  SMDiagnostic diagnostic;
  // The parser wants a NUL behind the text.
  std::unique_ptr<Module> module = parseAssemblyString(text.str(), diagnostic, context);
  if (!module)
    return createStringError("the kernel's LLVM IR does not parse: " + diagnostic.getMessage());
  if (change)
    change(*module);
  Function *kernel = module->getFunction(name);
  if (!kernel)
    return createStringError("the LLVM IR has no kernel " + name);
  counts[name] = kernel->arg_size();
  Expected<std::vector<CpuLevel>> levels = selectLevels("x86-64-v3");
  if (!levels)
    return levels.takeError();
  auto machine = createTargetMachine(levels->front(), 1);
  if (!machine)
    return machine.takeError();
  module->setTargetTriple((*machine)->getTargetTriple());
  module->setDataLayout((*machine)->createDataLayout());
  if (Error error = translate(*module))
    return error;
  for (Function &function : *module)
    if (!function.isDeclaration())
      setLevel(function, levels->front());
  // The name is the store's own, so that the same kernel can be added again with other changes.
  std::string symbol = name + "_" + std::to_string(number++);
  module->getFunction(name + "_emulated")->setName(symbol);
  if (Error error = optimizeModule(*module, **machine, 1, /*wholePipeline=*/true))
    return error;
  SmallVector<char, 0> object;
  if (Error error = emitMachineCode(*module, **machine, false, object))
    return error;
  if (Error error =
          jit->addObjectFile(MemoryBuffer::getMemBufferCopy(StringRef(object.data(), object.size()), symbol)))
    return error;
  auto found = jit->lookup(symbol);
  if (!found)
    return found.takeError();
  functions[name] = found->toPtr<KernelFunction>();
  return Error::success();
}

KernelFunction KernelStore::find(const std::string &name) const {
  auto found = functions.find(name);
  return found == functions.end() ? nullptr : found->second;
}

} // namespace torsh::emulator
