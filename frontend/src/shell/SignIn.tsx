import { Button, Modal, PasswordInput, TextInput } from '@mantine/core';
import '@mantine/core/styles/PasswordInput.css';
import '@mantine/core/styles/ActionIcon.css';
import { useState } from 'react';
import type { JSX, SubmitEvent } from 'react';

import { api, signedOut } from '../api';
import type { Me } from '../api';
import { outbox, queries, queryClient } from '../app';
import '../styles/dialog';
import classes from './Shell.module.css';

/** Reads everything anew as the person who just signed in; what is typed on the page stays. */
export function becomeSignedIn(me: Me): void {
  queryClient.setQueryData(queries.me.queryKey, me);
  signedOut.set(false);
  // The same person as before, as a rule: then nothing else tells the outbox to go on.
  void outbox.setLearner(me.learner_id);
  void queryClient.invalidateQueries({ predicate: (query) => query.queryKey !== queries.me.queryKey });
}

/** Sign in, or make an account; `done` is called with whoever it then is. */
export function AccountForm({ start, done }: { start: 'sign-in' | 'register'; done: (me: Me) => void }): JSX.Element {
  const [mode, setMode] = useState(start);
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [name, setName] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const registering = mode === 'register';

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      if (registering) await api.register({ email, password, name });
      // Registering does not promise a session; signing in does.
      done(await api.login({ email, password }));
    } catch (error) {
      setProblem(error instanceof Error ? error.message : 'That did not work.');
    } finally {
      setBusy(false);
    }
  };

  return (
    <form className={classes['form']} onSubmit={(event) => void submit(event)}>
      {problem !== null && (
        <p role="alert" className={classes['problem']}>
          {problem}
        </p>
      )}
      {registering && (
        <TextInput label="Name" autoComplete="name" required value={name} onChange={(e) => setName(e.currentTarget.value)} />
      )}
      <TextInput
        label="E-mail"
        type="email"
        autoComplete="username"
        required
        value={email}
        onChange={(e) => setEmail(e.currentTarget.value)}
      />
      <PasswordInput
        label="Password"
        autoComplete={registering ? 'new-password' : 'current-password'}
        required
        value={password}
        onChange={(e) => setPassword(e.currentTarget.value)}
      />
      <div className={classes['formActions']}>
        <Button type="submit" loading={busy}>
          {registering ? 'Create account' : 'Sign in'}
        </Button>
        <Button
          variant="subtle"
          color="gray"
          onClick={() => {
            setMode(registering ? 'sign-in' : 'register');
            setProblem(null);
          }}
        >
          {registering ? 'I have an account' : 'Create an account'}
        </Button>
      </div>
    </form>
  );
}

/** Lies over the page when the server wants to know who asks; the page beneath keeps its state. */
export function SignInDialog(): JSX.Element {
  return (
    <Modal
      opened
      onClose={() => undefined}
      withCloseButton={false}
      closeOnEscape={false}
      closeOnClickOutside={false}
      title="Sign in to go on"
      data-testid="sign-in"
    >
      <p className={classes['muted']} style={{ marginBottom: 16 }}>
        Anything you have typed or answered stays on this page.
      </p>
      <AccountForm start="sign-in" done={becomeSignedIn} />
    </Modal>
  );
}
