/** Acts and commands as their schemas say. Made by `gdo dapp types`: change the schemas, not this. */

export type Acts = {
  readonly limit: { readonly member: string; readonly max: number };
  readonly use: { readonly amount: number };
};

export type Commands = {
  readonly use: { readonly amount: number };
};
